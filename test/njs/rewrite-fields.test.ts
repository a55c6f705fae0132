import test from 'ava';
import type { RewriteContext } from '../../njs/rewrite-context.ts';
import { rewriteLink, rewriteRefresh } from '../../njs/rewrite-fields.ts';

const P = `/p/${'a'.repeat(26)}`;

const PATH: RewriteContext = {
  mode: 'path',
  prefix: P,
  scheme: 'https',
  publicHost: 'apps.test',
  backend: '10.0.0.7:8080',
  rest: '/',
};

type Rewriter = (value: string, context: RewriteContext) => string;

/** What the app says, and what the browser is told; once if that is the same. */
function table(title: string, rewrite: Rewriter, rows: [said: string, told?: string][]): void {
  test(title, (t) => {
    for (const [said, told = said] of rows) t.is(rewrite(said, PATH), told, JSON.stringify(said));
  });
}

table('a refresh in all its spellings', rewriteRefresh, [
  ['5; url=/x', `5; url=${P}/x`],
  ['5;URL=/x?y#z', `5;URL=${P}/x?y#z`],
  ['0, url=/x', `0, url=${P}/x`],
  ['0 url=/x', `0 url=${P}/x`],
  ['0;/x', `0;${P}/x`],
  ['0 /x', `0 ${P}/x`],
  ['1.5; url = /x', `1.5; url = ${P}/x`],
  ['.; url=/x', `.; url=${P}/x`],
  [' 0 ; url="/x" ; more', ` 0 ; url="${P}/x" ; more`],
  ["0; url='/x'y", `0; url='${P}/x'y`],
  ['0; url="/x', `0; url="${P}/x`],
  ["0; '/x'", `0; '${P}/x'`],
  ["0; url='/x\"'", `0; url='${P}/x"'`],
  ['0; url=http://localhost:8080/x', `0; url=${P}/x`],
  ['0; url=../x', `0; url=${P}/x`],
]);

table('a refresh without a URL, with a relative one, or with one elsewhere', rewriteRefresh, [
  ['5'],
  ['5; '],
  ['5; url='],
  ['5; url=x'],
  ['5; url="x"/../../y'],
  ['5; url'],
  ['5; url=https://elsewhere.test/x'],
  ['5x; url=/x'],
  ['; url=/x'],
  ['url=/x'],
  ['/x'],
  [''],
]);

table('every target of a link, and what it is anchored to', rewriteLink, [
  ['</x>; rel=preload', `<${P}/x>; rel=preload`],
  ['</a>; rel=next, <b>, < /c >', `<${P}/a>; rel=next, <b>, <${P}/c>`],
  ['</a,b;c>;rel="next"', `<${P}/a,b;c>;rel="next"`],
  ['<http://localhost:8080/x>; rel=next', `<${P}/x>; rel=next`],
  ['</a>; anchor="/b"; rel=c', `<${P}/a>; anchor="${P}/b"; rel=c`],
  ['</a>;ANCHOR = /b,</c>', `<${P}/a>;ANCHOR = ${P}/b,<${P}/c>`],
  ['</a>; anchor="#b"', `<${P}/a>; anchor="#b"`],
  ['</a>; title="</b>; \\"</c>, "; x=</d>', `<${P}/a>; title="</b>; \\"</c>, "; x=<${P}/d>`],
  ['</a>; title="; anchor=/b"', `<${P}/a>; title="; anchor=/b"`],
  ['</a>; title="open, </b>', `<${P}/a>; title="open, <${P}/b>`],
  ['<>; rel=x'],
  ['<https://elsewhere.test/>; rel=preconnect'],
  ['</x'],
  ['/x; rel=next'],
  [''],
]);

test('only the app itself is taken out where the app knows its URL', (t) => {
  const its: RewriteContext = { ...PATH, mode: 'host', prefix: '' };
  t.is(rewriteRefresh('0; url="http://localhost:8080/x"', its), '0; url="/x"');
  t.is(rewriteRefresh('0; url=/x', its), '0; url=/x');
  t.is(rewriteLink('</a>, <//localhost:8080/b>; anchor=/c', its), '</a>, </b>; anchor=/c');
});
