/** `npm run cluster -- build | up | down | status`: a real Kubernetes of one node on this machine, for tests. */
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { catchInterrupts } from '../interrupts.ts';
import { build } from './build.ts';
import { adminKubeconfig, buildFolder } from './places.ts';
import { checkCanRun } from './requirements.ts';
import { down, isUp, up } from './up.ts';

const say = (line: string) => console.log(`cluster: ${line}`);
const interrupts = catchInterrupts();
const command = new Command('npm run cluster --').description(
  'A Kubernetes of one node, built from Debian packages, for tests; needs root. One a machine.',
);

command
  .command('build')
  .description('build Kubernetes, if this recipe was not built yet')
  .action(async () => {
    await build(say, interrupts.first);
    say(`the build is in ${buildFolder()}`);
  });

command
  .command('up')
  .description('build if need be, start the cluster, and say how to reach it')
  .action(async () => {
    checkCanRun();
    await build(say, interrupts.first);
    const started = performance.now();
    await up(false, interrupts.first);
    say(`up after ${((performance.now() - started) / 1000).toFixed(1)} s`);
    say(`export KUBECONFIG=${adminKubeconfig} PATH=${buildFolder()}/bin:$PATH`);
  });

command
  .command('down')
  .description('end the cluster')
  .action(async () => {
    await down();
    say('down');
  });

command
  .command('status')
  .description('say whether it is built and up; exits with 1 unless it is up')
  .action(async () => {
    const running = await isUp();
    const built = existsSync(buildFolder()) ? `built in ${buildFolder()}` : 'not built';
    say(running ? `up; export KUBECONFIG=${adminKubeconfig}` : `down; ${built}`);
    if (!running) process.exitCode = 1;
  });

try {
  await command.parseAsync();
} catch (error) {
  if (interrupts.first.aborted) process.exitCode = 130;
  else {
    console.error(`cluster: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
