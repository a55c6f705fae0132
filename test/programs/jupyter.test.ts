import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Mode } from '../../daemon/public-url.ts';
import type { NginxLine } from '../../scripts/nginx.ts';
import { program } from '../../scripts/programs/programs.ts';
import { openBrowser, shoot } from './support/browser.ts';
import { startSite } from './support/site.ts';

/** Who comes in is for Spawner to say, so Jupyter asks for no token of its own, and takes any host's name. */
const command = [
  ...['exec', program('jupyter'), '--no-browser', '--allow-root', '--ip="$HOST"', '--port="$PORT"'],
  ...[
    '--ServerApp.port_retries=0',
    '--ServerApp.root_dir="$HOME"',
    '--ServerApp.base_url="$SPAWNER_BASE_PATH"',
  ],
  ...['--ServerApp.token=', '--ServerApp.allow_remote_access=True'],
].join(' ');

/** A name that only survives where no proxy decodes a path and encodes it anew. */
const name = 'Übung 100% (a+b;c).ipynb';
const cell = { cell_type: 'code', execution_count: null, metadata: {}, outputs: [], source: [] };
const kernelspec = { display_name: 'Python 3', language: 'python', name: 'python3' };
const notebook = { cells: [cell], metadata: { kernelspec }, nbformat: 4, nbformat_minor: 4 };

const runsACell = test.macro({
  title: (_, line: NginxLine, mode: Mode) =>
    `Jupyter: a cell runs, and its output is kept (${mode}, ${line})`,
  async exec(t, line: NginxLine, mode: Mode) {
    const home = await mkdtemp(join(tmpdir(), 'spawner-jupyter-'));
    t.teardown(() => rm(home, { recursive: true, force: true }));
    await writeFile(join(home, name), JSON.stringify(notebook));
    const site = await startSite(t, { line, mode, command, env: { HOME: home } });
    const { url } = await site.init({ wait: 'ready' });

    const browser = await openBrowser(t);
    const tree = await browser.newPage();
    await tree.goto(url);
    t.is(tree.url(), `${url}tree?`, 'its redirect stays below the prefix');
    const opened = browser.waitForEvent('page');
    await tree.getByText(name).click();
    const page = await opened;
    await page.locator('.kernel_idle_icon').waitFor();
    await page.locator('.CodeMirror').click();
    await page.keyboard.type('sum(n * n for n in range(10))');
    await page.keyboard.press('Shift+Enter');
    await page.locator('.output_text', { hasText: '285' }).waitFor();
    if (line === 'current' && mode === 'path-kept') await shoot(page, 'jupyter');
    const saved = page.waitForResponse((answer) => answer.request().method() === 'PUT' && answer.ok());
    await page.keyboard.press('Control+s');
    await saved;
    const kept = JSON.parse(await readFile(join(home, name), 'utf8')).cells[0].outputs[0];
    t.deepEqual(kept.data['text/plain'], ['285']);
  },
});

for (const line of ['stable', 'current'] as const) {
  for (const mode of ['path-kept', 'host'] as const) test(runsACell, line, mode);
}
