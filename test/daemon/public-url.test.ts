import test from 'ava';
import {
  basePath,
  modeOf,
  type PublicUrl,
  parsePublicUrl,
  publicUrlText,
  sessionUrl,
} from '../../daemon/public-url.ts';

const path = (host: string, scheme: 'http' | 'https' = 'https'): PublicUrl => ({
  form: 'path',
  scheme,
  host,
});
const host = (suffix: string, scheme: 'http' | 'https' = 'https'): PublicUrl => ({
  form: 'host',
  scheme,
  host: suffix,
});

const right: [string, PublicUrl][] = [
  ['https://h', path('h')],
  ['https://h/', path('h')],
  ['https://h/p/{id}/', path('h')],
  ['HTTP://My-Domain.com:8000', path('my-domain.com:8000', 'http')],
  ['https://h:443', path('h')],
  ['https://h:80/', path('h:80')],
  ['http://127.0.0.1:8000', path('127.0.0.1:8000', 'http')],
  ['http://[::1]:81', path('[::1]:81', 'http')],
  ['https://müller.de', path('xn--mller-kva.de')],
  ['https://{id}.apps.example.com', host('apps.example.com')],
  ['https://{id}.apps.example.com/', host('apps.example.com')],
  ['https://{id}.Apps.example.com:8443/', host('apps.example.com:8443')],
  ['http://{id}.localhost:8000', host('localhost:8000', 'http')],
];

for (const [text, expected] of right) {
  test(`${text} is a public URL`, (t) => {
    t.deepEqual(parsePublicUrl(text), expected);
  });
}

const wrong: [string, RegExp][] = [
  ...['', 'h', 'ftp://h', 'https://', 'https://u@h', 'https://u:p@h', 'https://h?a', 'https://h#a'].map(
    (text): [string, RegExp] => [text, /my-domain\.com/],
  ),
  ...['https://h:99999', 'https://h x', 'https://h;y', 'https://a,b', 'https://h.', 'https://$h'].map(
    (text): [string, RegExp] => [text, /my-domain\.com/],
  ),
  ...['https://{id}', 'https://{id}/', 'https://x.{id}.h', 'https://{id}-h.de', 'https://{id}.{id}.h'].map(
    (text): [string, RegExp] => [text, /my-domain\.com/],
  ),
  ...['https://h/app', 'https://h/p/{id}', 'https://h/p/', 'https://h//', 'https://h/p/{id}/x'].map(
    (text): [string, RegExp] => [text, /no path: sessions live/],
  ),
  ['https://{id}.h/p/{id}/', /whole host/],
  ['https://{id}.h/x', /whole host/],
  ['https://{id}.127.0.0.1:8000', /Addresses have no names/],
  ['https://{id}.[::1]', /Addresses have no names/],
];

for (const [text, message] of wrong) {
  test(`"${text}" is refused`, (t) => {
    const parsed = parsePublicUrl(text);
    t.regex(typeof parsed === 'string' ? parsed : JSON.stringify(parsed), message);
  });
}

test('a session is found below a path or at a host of its own', (t) => {
  t.is(sessionUrl(path('h:1'), 'abc'), 'https://h:1/p/abc/');
  t.is(basePath(path('h'), 'abc'), '/p/abc/');
  t.is(sessionUrl(host('h:1', 'http'), 'abc'), 'http://abc.h:1/');
  t.is(basePath(host('h'), 'abc'), '/');
});

test('the form and the flag choose the mode', (t) => {
  t.is(modeOf(path('h'), false), 'path');
  t.is(modeOf(path('h'), true), 'path-kept');
  t.is(modeOf(host('h'), false), 'host');
});

test('the text of a public URL is one again', (t) => {
  for (const [, url] of right) t.deepEqual(parsePublicUrl(publicUrlText(url)), url);
});
