/** `a.b.c.d:port` or `[ipv6]:port`, as addresses are written in URLs and routes. */
export function hostPort(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
