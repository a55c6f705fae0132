// biome-ignore lint/style/useNodejsImportProtocol: njs knows its modules by the bare name only.
import fs from 'fs';

/**
 * Whether `pid` is a living worker of this nginx. The old workers of a reload are: they serve what they began.
 * Reads Linux's /proc (proc_pid_stat(5): `pid (name) state ppid …`). Doubt counts as alive, because what hangs on
 * the answer is whether somebody's open connections are forgotten.
 */
export function isLivingWorker(pid: number): boolean {
  let stat: string;
  try {
    stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8') as string;
  } catch (error) {
    const code = (error as { code?: string }).code;
    return code !== 'ENOENT' && code !== 'ESRCH';
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const dead = fields[0] === 'Z' || fields[0] === 'X';
  return !dead && Number(fields[1]) === process.ppid;
}
