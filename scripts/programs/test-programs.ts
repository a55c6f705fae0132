/**
 * `npm run test:programs [-- files and flags of ava]`: programs that nobody here wrote, behind the router, in a real
 * browser; prints TAP. With `--screenshots` it also makes the pictures of docs/images anew.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { catchInterrupts } from '../interrupts.ts';
import { root } from '../nginx.ts';
import { setUpPrograms } from './setup.ts';

const SCREENSHOTS = '--screenshots';
const { first: abort } = catchInterrupts();

/** Returns the exit code. */
async function main(argv: string[]): Promise<number> {
  await setUpPrograms((line) => console.log(`# test:programs: ${line}`));
  abort.throwIfAborted();
  // What follows -- is for the tests themselves.
  const forTests = argv.includes(SCREENSHOTS) ? ['--', SCREENSHOTS] : [];
  const forAva = argv.filter((argument) => argument !== SCREENSHOTS);
  const child = spawn(
    join(root, 'node_modules', '.bin', 'ava'),
    ['--config', 'ava.programs.config.js', '--tap', ...forAva, ...forTests],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  abort.addEventListener('abort', () => child.kill('SIGTERM'));
  const [code] = await once(child, 'close');
  abort.throwIfAborted();
  return code ?? 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!abort.aborted) console.error(`test:programs: ${error instanceof Error ? error.message : error}`);
  process.exitCode = abort.aborted ? 130 : 1;
}
