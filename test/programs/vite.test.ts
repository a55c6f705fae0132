import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Mode } from '../../daemon/public-url.ts';
import { type NginxLine, root } from '../../scripts/nginx.ts';
import { openBrowser, shoot } from './support/browser.ts';
import { startSite } from './support/site.ts';

const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
const command = [
  ...[
    'exec',
    `"${process.execPath}"`,
    vite,
    '"$PROJECT"',
    '--host="$HOST"',
    '--port="$PORT"',
    '--strictPort',
  ],
  '--base="$SPAWNER_BASE_PATH"',
].join(' ');

/** A page with a counter, and a module of its own for its words. */
const files = {
  'index.html': `<!doctype html><title>A site in the making</title>
<link rel="icon" href="data:,"><script type="module" src="/main.js"></script>
<style>body, button { font: 28px sans-serif; margin: 2em; }</style><p id="words"></p><button>0</button>`,
  'main.js': `import { words } from './words.js';
const show = (text) => { document.querySelector('#words').textContent = text; };
show(words);
document.querySelector('button').onclick = ({ target }) => { target.textContent++; };
import.meta.hot.accept('./words.js', (module) => show(module.words));`,
};
const words = (text: string) => `export const words = '${text}';\n`;

const reloadsHot = test.macro({
  title: (_, line: NginxLine, mode: Mode) =>
    `Vite: an edited file changes the page as it stands (${mode}, ${line})`,
  async exec(t, line: NginxLine, mode: Mode) {
    const project = await mkdtemp(join(tmpdir(), 'spawner-vite-'));
    t.teardown(() => rm(project, { recursive: true, force: true }));
    const write = (name: string, text: string) => writeFile(join(project, name), text);
    for (const [name, text] of Object.entries(files)) await write(name, text);
    await write('words.js', words('Before the edit'));
    const site = await startSite(t, { line, mode, command, env: { PROJECT: project } });
    const { url } = await site.init({ wait: 'ready' });

    const page = await (await openBrowser(t)).newPage();
    const connected = page.waitForEvent('console', (message) => message.text() === '[vite] connected.');
    await page.goto(url);
    await page.getByText('Before the edit').waitFor();
    await connected;
    await page.getByRole('button').click();
    await write('words.js', words('After the edit'));
    await page.getByText('After the edit').waitFor();
    t.is(await page.getByRole('button').innerText(), '1', 'it was not loaded anew');
    if (line === 'current' && mode === 'host') await shoot(page, 'vite');
  },
});

for (const line of ['stable', 'current'] as const) {
  for (const mode of ['path-kept', 'host'] as const) test(reloadsHot, line, mode);
}
