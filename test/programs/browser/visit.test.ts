import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Mode } from '../../../daemon/public-url.ts';
import type { NginxLine } from '../../../scripts/nginx.ts';
import { openBrowser, shoot } from '../support/browser.ts';
import { ask, pageApp as command } from '../support/page-app.ts';
import { startSite } from '../support/site.ts';

const staysWhereItIs = test.macro({
  title: (_, line: NginxLine, mode: Mode) =>
    `tabs of two sessions stay apart, through reloads and redirects (${mode}, ${line})`,
  async exec(t, line: NginxLine, mode: Mode) {
    const site = await startSite(t, { line, mode, command });
    const browser = await openBrowser(t);
    const sessions = await Promise.all([site.init({ wait: 'ready' }), site.init({ wait: 'ready' })]);
    const tabs = await Promise.all(
      [...sessions, ...sessions].map(async (session) => ({ session, page: await browser.newPage() })),
    );
    for (const { page, session } of tabs) await page.goto(session.url);
    for (const { page, session } of tabs) {
      t.is(await ask(page, 'hello'), `${session.id}:hello`);
      await page.reload();
      t.is(await page.title(), session.id);
      await page.goto(`${session.url}redirect`);
      t.is(page.url(), `${session.url}landed`);
      t.is(await page.title(), session.id);
      await page.goBack();
      t.is(page.url(), session.url);
      t.is(await ask(page, 'again'), `${session.id}:again`);
    }
  },
});

const becomesTheApp = test.macro({
  title: (_, line: NginxLine, mode: Mode) => `the waiting page turns into the app (${mode}, ${line})`,
  async exec(t, line: NginxLine, mode: Mode) {
    const folder = await mkdtemp(join(tmpdir(), 'spawner-gate-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const gate = join(folder, 'open');
    const site = await startSite(t, { line, mode, command, env: { GATE: gate } });
    const { id, url } = await site.init();
    const page = await (await openBrowser(t)).newPage();
    const wanted = `${url}landed?with=query#and-fragment`;
    await page.goto(wanted);
    await page.getByText('This page shows it as soon as it is ready.').waitFor();
    if (line === 'current' && mode === 'path') await shoot(page, 'waiting');
    await writeFile(gate, '');
    await page.getByRole('heading', { name: 'Landed' }).waitFor();
    t.is(page.url(), wanted);
    t.is(await page.title(), id);
  },
});

for (const line of ['stable', 'current'] as const) {
  for (const mode of ['path', 'path-kept', 'host'] as const) {
    test(staysWhereItIs, line, mode);
    test(becomesTheApp, line, mode);
  }
}
