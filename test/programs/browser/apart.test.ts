import test from 'ava';
import type { Mode } from '../../../daemon/public-url.ts';
import type { NginxLine } from '../../../scripts/nginx.ts';
import { openBrowser } from '../support/browser.ts';
import { pageApp as command, fetchText } from '../support/page-app.ts';
import { startSite } from '../support/site.ts';

const cookiesStay = test.macro({
  title: (_, line: NginxLine, mode: Mode) => `a session is sent its own cookies only (${mode}, ${line})`,
  async exec(t, line: NginxLine, mode: Mode) {
    const site = await startSite(t, { line, mode, command });
    const sessions = [await site.init({ wait: 'ready' }), await site.init({ wait: 'ready' })];
    const browser = await openBrowser(t);
    const page = await browser.newPage();
    for (const { url } of sessions) await page.goto(`${url}set-cookies`);
    for (const { id, url } of sessions) {
      await page.goto(url);
      const sent = (await fetchText(page, 'cookies')).split('; ');
      t.true(sent.includes(`own=${id}`));
      t.deepEqual([...new Set(sent.map((cookie) => cookie.split('=')[1]))], [id]);
    }
    const places = (await browser.cookies()).map(({ domain, path }) => `${domain}${path}`);
    const own = sessions.map(({ url }) => `${new URL(url).hostname}${new URL(url).pathname}`);
    t.deepEqual([...new Set(places)].sort(), own.sort());
  },
});

const workersStay = test.macro({
  title: (_, line: NginxLine, mode: Mode) =>
    `a service worker takes its own session's pages only (${mode}, ${line})`,
  async exec(t, line: NginxLine, mode: Mode) {
    const site = await startSite(t, { line, mode, command });
    const [one, other] = [await site.init({ wait: 'ready' }), await site.init({ wait: 'ready' })];
    const browser = await openBrowser(t);
    const [page, otherPage] = [await browser.newPage(), await browser.newPage()];
    await page.goto(one.url);
    const register = (options = '') =>
      page.evaluate<string>(`navigator.serviceWorker.register('worker.js'${options}).then(
        ({ scope }) => scope, (error) => error.name)`);
    for (const scope of ['/', new URL(other.url).pathname]) {
      t.is(await register(`, { scope: '${scope}' }`), 'SecurityError');
    }
    t.is(await register(), one.url);
    await page.evaluate('navigator.serviceWorker.ready');
    await page.waitForFunction('navigator.serviceWorker.controller');
    t.is(await fetchText(page, 'by-worker'), `worker of ${one.id}`);
    await otherPage.goto(other.url);
    t.is(await fetchText(otherPage, 'by-worker'), `no page of ${other.id}`);
  },
});

const storageIsApart = test.macro({
  title: (_, line: NginxLine) => `a session with a host of its own has a storage of its own (${line})`,
  async exec(t, line: NginxLine) {
    const site = await startSite(t, { line, mode: 'host', command });
    const [one, other] = [await site.init({ wait: 'ready' }), await site.init({ wait: 'ready' })];
    const page = await (await openBrowser(t)).newPage();
    await page.goto(one.url);
    await page.evaluate(`localStorage.setItem('secret', 'mine')`);
    await page.goto(other.url);
    t.is(await page.evaluate(`localStorage.getItem('secret')`), null);
    await page.goto(one.url);
    t.is(await page.evaluate(`localStorage.getItem('secret')`), 'mine');
  },
});

for (const line of ['stable', 'current'] as const) {
  for (const mode of ['path', 'path-kept', 'host'] as const) test(cookiesStay, line, mode);
  // Below hosts of their own, sessions are apart anyhow.
  for (const mode of ['path', 'path-kept'] as const) test(workersStay, line, mode);
  test(storageIsApart, line);
}
