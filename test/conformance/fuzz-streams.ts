import fc from 'fast-check';

/** What a generated connection sends, one request after the other. */
export interface Request {
  target: string;
  hosts: string[];
  line: (target: string) => string;
}

/** Connections at the same time. */
const SIDE_BY_SIDE = 16;

let connection = 0;

/** The bytes of one connection; its last request ends it, whatever became of the others. */
export function streamOf(requests: Request[]): { stream: string; markers: string[] } {
  connection += 1;
  const markers = requests.map((_, index) => `(${connection}.${index})`);
  const texts = requests.map(({ target, hosts, line }, index) =>
    [line(target), ...hosts.map((host) => `Host: ${host}`), `X-Case: ${markers[index]}`, '', ''].join('\r\n'),
  );
  return { stream: `${texts.join('')}GET / HTTP/1.1\r\nHost: end\r\nConnection: close\r\n\r\n`, markers };
}

/** Connections of requests that name these sessions, in one way or another. */
export function connections(ids: string[]): fc.Arbitrary<Request[][]> {
  const hosts = ids.map((id) => `${id}.apps.test`);
  const id = fc.constantFrom(...ids);
  /** Pieces that have led proxies astray. */
  const piece = fc.oneof(
    { weight: 6, arbitrary: id },
    { weight: 4, arbitrary: fc.constantFrom('/', '//', '/p/', '/p', '..', '.', '/../', '/./', ...hosts) },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        '%2f',
        '%2F',
        '%2e%2e',
        '%5c',
        '\\',
        ';',
        '%3f',
        '%23',
        '%00',
        '%0d%0a',
        '%',
      ),
    },
    { weight: 2, arbitrary: fc.constantFrom('?', '#', '&', '=', '@', ':', '%252f', '%61', 'A', 'x', '://') },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '\xff',
        '\xc3\xa9',
        '\x80',
        '\x7f',
        '\x01',
        '\t',
        ' ',
        '$',
        '{',
        '\r\n',
        '\n',
        '\r',
      ),
    },
  );
  const start = fc.oneof(
    { weight: 5, arbitrary: id.map((one) => `/p/${one}/`) },
    { weight: 2, arbitrary: id.map((one) => `/p/${one}`) },
    { weight: 2, arbitrary: fc.constantFrom('/', '//p/', '/p/', '', '*', '/%70/') },
    { weight: 2, arbitrary: id.map((one) => `/p/${one}/../`) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.constantFrom('http://', 'HTTPS://', 'ws://'), fc.constantFrom(...hosts, 'spawner.test'))
        .map(([scheme, host]) => `${scheme}${host}`),
    },
    { weight: 2, arbitrary: id.map((one) => `http://spawner.test/p/${one}/`) },
  );
  const host = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...hosts) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(...hosts.flatMap((one) => [`${one}:80`, one.toUpperCase(), `${one}.`])),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        ...hosts.flatMap((one) => [`x.${one}`, `${one}x`, `${one},${one}`, `a@${one}`]),
      ),
    },
    { weight: 2, arbitrary: fc.constantFrom('spawner.test', 'apps.test', '', ' ', '127.0.0.1') },
    { weight: 1, arbitrary: piece },
  );
  const line = fc.oneof(
    { weight: 12, arbitrary: fc.constant((target: string) => `GET ${target} HTTP/1.1`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        (target: string) => `HEAD ${target} HTTP/1.1`,
        (target: string) => `GET  ${target}  HTTP/1.1 `,
        (target: string) => `GET ${target} HTTP/1.0`,
        (target: string) => `GET ${target}`,
        (target: string) => `get ${target} HTTP/1.1`,
        (target: string) => `\r\nGET ${target} HTTP/1.1`,
      ),
    },
  );
  const request = fc.record({
    target: fc
      .tuple(start, fc.array(piece, { maxLength: 6 }))
      .map(([first, pieces]) => first + pieces.join('')),
    hosts: fc.oneof(
      { weight: 8, arbitrary: fc.tuple(host) },
      { weight: 1, arbitrary: fc.array(host, { maxLength: 3 }) },
    ),
    line,
  });
  return fc.array(fc.array(request, { minLength: 1, maxLength: 4 }), {
    minLength: SIDE_BY_SIDE,
    maxLength: SIDE_BY_SIDE,
  });
}
