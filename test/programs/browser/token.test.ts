import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Mode } from '../../../daemon/public-url.ts';
import type { NginxLine } from '../../../scripts/nginx.ts';
import { writeCertificate } from '../../conformance/certificate.ts';
import { openBrowser, shoot } from '../support/browser.ts';
import { ask, pageApp as command, fetchText } from '../support/page-app.ts';
import { startSite } from '../support/site.ts';

const flags = ['--require-token'];
const clean = (url: string) => url.replace(/\?.*/, '');

const opensOnce = test.macro({
  title: (_, line: NginxLine, mode: Mode) =>
    `a URL with a token opens its session for who came by it, until it is revoked (${mode}, ${line})`,
  async exec(t, line: NginxLine, mode: Mode) {
    const site = await startSite(t, { line, mode, command, flags });
    const { id, url } = await site.init({ wait: 'ready' });
    const other = await site.init({ wait: 'ready' });
    const browser = await openBrowser(t);
    const page = await browser.newPage();
    await page.goto(`${url}&page=1&name=%C3%BC%2f`);
    t.is(page.url(), `${clean(url)}?page=1&name=%C3%BC%2f`, 'the address bar holds no token');
    t.is(await page.title(), id);
    const { pathname, hostname } = new URL(url);
    t.like(await browser.cookies(), {
      length: 1,
      0: { name: 'spawner-token', path: pathname, domain: hostname, httpOnly: true, sameSite: 'Lax' },
    });
    t.is(await page.evaluate('document.cookie'), '', 'no script can read it');
    t.is(await fetchText(page, 'cookies'), '', 'nor can the app');
    t.is(await ask(page, 'hello'), `${id}:hello`);

    const stranger = await (await openBrowser(t)).newPage();
    t.is((await stranger.goto(clean(url)))?.status(), 403);
    await stranger.getByRole('heading').waitFor();
    if (line === 'current' && mode === 'path') await shoot(stranger, 'token-required');
    t.is((await page.goto(clean(other.url)))?.status(), 403, "one session's token opens no other");

    await page.goto(clean(url));
    await ask(page, 'hello');
    const closed = page.evaluate('new Promise((resolve) => { socket.onclose = () => resolve(true); })');
    const renewed = await site.daemon.api('POST', `/sessions/${id}/token`);
    t.is(renewed.status, 200);
    t.true(await closed, 'its WebSocket is closed');
    t.is((await page.reload())?.status(), 403);
    await page.goto(renewed.json.url);
    t.is(page.url(), clean(url));
    t.is(await ask(page, 'back'), `${id}:back`);
  },
});

const speaksHttp2 = test.macro({
  title: (_, line: NginxLine, mode: Mode) =>
    `over https there is HTTP/2, WebSocket beside it, and a cookie for https alone (${mode}, ${line})`,
  async exec(t, line: NginxLine, mode: Mode) {
    const folder = await mkdtemp(join(tmpdir(), 'spawner-tls-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const tls = { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') };
    await writeCertificate(tls.certificate, tls.key);
    const site = await startSite(t, { line, mode, command, flags, tls });
    const { id, url } = await site.init({ wait: 'ready' });
    const browser = await openBrowser(t, { ignoreHTTPSErrors: true });
    const page = await browser.newPage();
    await page.goto(url);
    t.is(page.url(), clean(url));
    t.is(await page.evaluate(`performance.getEntriesByType('navigation')[0].nextHopProtocol`), 'h2');
    t.is(await ask(page, 'hello'), `${id}:hello`);
    const name = mode === 'host' ? '__Host-spawner-token' : '__Secure-spawner-token';
    t.like(await browser.cookies(), { length: 1, 0: { name, path: new URL(url).pathname, secure: true } });
    await page.goto(`${clean(url)}redirect`);
    t.is(page.url(), `${clean(url)}landed`);
  },
});

for (const line of ['stable', 'current'] as const) {
  for (const mode of ['path', 'path-kept', 'host'] as const) {
    test(opensOnce, line, mode);
    test(speaksHttp2, line, mode);
  }
}
