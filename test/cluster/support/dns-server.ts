import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { ExecutionContext } from 'ava';
import { debianPackages } from '../../../scripts/images/packages.ts';
import type { Address } from '../../support/http.ts';
import { reservePorts } from '../../support/ports.ts';

/** A real DNS server on loopback, for as long as the test runs: the cluster's, where a test plays the cluster. */
export interface DnsServer {
  address: Address;
  /** From now on it knows these names only; the same name may have several addresses. */
  know(names: { name: string; ip: string }[]): Promise<void>;
}

export async function startDns(t: ExecutionContext): Promise<DnsServer> {
  const { root } = await debianPackages('trixie', ['dnsmasq-base'], () => {});
  const folder = await mkdtemp(join(tmpdir(), 'spawner-dns-'));
  const { first: port, release } = await reservePorts();
  const hosts = join(folder, 'hosts');
  await mkdir(hosts);
  const libraries = join(root, 'usr/lib', await named(join(root, 'usr/lib'), /-linux-gnu$/));
  const child = spawn(
    join(libraries, await named(libraries, /^ld-linux/)),
    [
      ...['--library-path', libraries, join(root, 'usr/sbin/dnsmasq'), '--keep-in-foreground', '--pid-file'],
      ...['--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--user=root', '--log-facility=-'],
      ...['--local=/test/', `--hostsdir=${hosts}`, '--listen-address=127.0.0.1', '--bind-interfaces'],
      `--port=${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = once(child, 'exit');
  t.teardown(async () => {
    child.kill();
    await ended;
    release();
    await rm(folder, { recursive: true });
  });
  await untilSaid(child.stderr, 'cleared cache');
  return {
    address: `127.0.0.1:${port}`,
    async know(names) {
      const text = names.map(({ name, ip }) => `${ip} ${name}\n`).join('');
      // It reads a file as soon as it is there.
      await writeFile(join(folder, 'new'), text);
      await rename(join(folder, 'new'), join(hosts, 'names'));
    },
  };
}

/** The name in a folder, of which only a part is known. */
async function named(folder: string, part: RegExp): Promise<string> {
  const found = (await readdir(folder)).find((name) => part.test(name));
  if (found === undefined) throw new Error(`${folder} holds nothing like ${part}`);
  return found;
}

async function untilSaid(output: Readable, text: string): Promise<void> {
  const said: string[] = [];
  const lines = createInterface(output);
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      said.push(line);
      if (line.includes(text)) resolve();
    });
    lines.on('close', () => reject(new Error(`the DNS server ended: ${said.join(' | ')}`)));
  });
}
