import test from 'ava';
import type { Page } from 'playwright-core';
import type { Mode } from '../../daemon/public-url.ts';
import type { NginxLine } from '../../scripts/nginx.ts';
import { program } from '../../scripts/programs/programs.ts';
import { until } from '../support/poll.ts';
import { openBrowser, shoot } from './support/browser.ts';
import { startSite } from './support/site.ts';

const ttyd = `exec ${program('ttyd')} --writable --check-origin --interface lo --port "$PORT"`;
const shell = 'bash --norc';
/** Its pages ask for what lies beside them: only what it is asked for itself may begin with a prefix. */
const commands: Record<Mode, string> = {
  path: `${ttyd} ${shell}`,
  'path-kept': `${ttyd} --base-path "$SPAWNER_BASE_PATH" ${shell}`,
  host: `${ttyd} ${shell}`,
};
const env = { PS1: 'visitor$ ' };

const runsWhatIsTyped = test.macro({
  title: (_, line: NginxLine, mode: Mode) => `ttyd: what is typed runs (${mode}, ${line})`,
  async exec(t, line: NginxLine, mode: Mode) {
    const site = await startSite(t, { line, mode, command: commands[mode], env });
    const { url } = await site.init({ wait: 'ready' });
    const page = await (await openBrowser(t)).newPage();
    await page.goto(url);
    await untilShown(page, 'visitor$');
    await page.keyboard.type('ls --color /usr; echo "the answer is $((6 * 7))"\n');
    await untilShown(page, 'the answer is 42');
    t.true((await linesOf(page)).includes('the answer is 42'));
    if (line === 'current' && mode === 'path') await shoot(page, 'ttyd');
  },
});

for (const line of ['stable', 'current'] as const) {
  for (const mode of ['path', 'path-kept', 'host'] as const) test(runsWhatIsTyped, line, mode);
}

/** Waits for a line of the terminal that begins so. */
async function untilShown(page: Page, text: string): Promise<void> {
  await until(`${text} in the terminal`, async () =>
    (await linesOf(page)).some((line) => line.startsWith(text)),
  );
}

/** What the terminal holds: it is painted, and no text of the page. */
function linesOf(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const buffer = globalThis.term?.buffer.active;
    return Array.from({ length: buffer?.length ?? 0 }, (_, row) => buffer.getLine(row).translateToString(true));
  })()`);
}
