import { plain } from '../app.ts';
import { codeOf } from '../ask.ts';
import type { Case, Session } from '../case.ts';
import type { Reply } from '../client.ts';
import { exchange } from '../client.ts';
import type { Failure } from '../failures.ts';
import { FAILURES } from '../failures.ts';
import type { Check } from '../row.ts';

const KNOWN = 'JSON, a page for browsers, readable by other origins';

const BLIND = 'JSON for everybody';

const FOREIGN = 'https://elsewhere.test';

/** Asks as a program, a browser and a page of another origin, and says of each whether it gets what it can use. */
async function answersTo(c: Case, { prepare, status, code, blind }: Failure): Promise<string> {
  const { session, request } = await prepare(c);
  const ask = async (headers: string[], method?: string) => {
    const reply = await exchange(session.router.place, request(headers, method), method);
    if (!reply) throw new Error('there is no answer');
    return reply;
  };
  const [program, page, script, head] = await Promise.all([
    ask([]),
    ask(['Accept: text/html,*/*;q=0.8', 'Sec-Fetch-Mode: navigate']),
    ask([`Origin: ${FOREIGN}`]),
    ask([], 'HEAD'),
  ]);
  const problems = [
    ...(program.status === status && isJson(program, code) ? [] : [`a program gets ${summary(program)}`]),
    ...(page.status === status && (blind || isPage(page, code)) ? [] : [`a browser gets ${summary(page)}`]),
    ...(script.status === status && (blind || isReadable(script))
      ? []
      : [`another origin can’t read ${script.headers.join()}`]),
    ...(head.status === status ? [] : [`HEAD gets ${summary(head)}`]),
    ...[program, page, script, head].flatMap((reply) => tellTales(reply, session)),
    ...(Number(program.header('retry-after') !== undefined) === Number(status === 503)
      ? []
      : ['Retry-After']),
  ];
  return problems.join('; ') || `${status} ${code}: ${blind ? BLIND : KNOWN}`;
}

function summary({ line, header, body }: Reply): string {
  return `${line} ${header('content-type')} ${codeOf(body) || body.slice(0, 60)}`;
}

function isJson({ header, body }: Reply, code: string): boolean {
  if (header('content-type') !== 'application/json') return false;
  const { error } = JSON.parse(body);
  return error.code === code && /^[0-9a-f]{32}$/.test(error.requestId) && error.message.length > 10;
}

function isPage({ header, body }: Reply, code: string): boolean {
  return (
    header('content-type') === 'text/html; charset=utf-8' && body.includes(code) && body.includes('</html>')
  );
}

function isReadable({ header }: Reply): boolean {
  return (
    header('access-control-allow-origin') === FOREIGN &&
    header('access-control-allow-credentials') === 'true' &&
    /\borigin\b/i.test(header('vary') ?? '')
  );
}

/** What no answer of the router may have in it, or must. */
function tellTales({ headers, body, header }: Reply, { id }: Session): string[] {
  const whole = [...headers, body].join('\n');
  const bad =
    /nginx\/[\d.]+|127\.0\.0\.1|openresty/.exec(whole)?.[0] ?? (whole.includes(id) ? 'the id' : undefined);
  const missing = header('cache-control') === 'no-store' ? [] : ['it may be cached'];
  return [...missing, ...(bad ? [`it tells ${bad}`] : [])];
}

export const errors: Check[] = [
  ...FAILURES.map(
    (failure): Check => ({
      id: `error-${failure.id}`,
      says: failure.says,
      expected: `${failure.status} ${failure.code}: ${KNOWN}`,
      limits: failure.blind
        ? [
            {
              ...{ on: {}, sees: `${failure.status} ${failure.code}: ${BLIND}` },
              because: 'nginx refuses it before it has read the headers that say who asks',
            },
          ]
        : [],
      see: (c) => answersTo(c, failure),
    }),
  ),
  {
    id: 'error-not-counted',
    says: 'what failed is not counted as somebody who is there',
    expected: '502, active 0 of 1',
    see: async (c) => {
      const session = await c.session();
      await session.put('ready', '127.0.0.1:9');
      const client = session.dial();
      client.send(session.head('/', ['Content-Length: 1048576'], 'POST') + 'x'.repeat(1_048_576));
      const reply = await client.reply();
      client.close();
      const activity = () => session.router.admin.activity(session.id);
      await c.until(async () => (await activity()).active === 0);
      return `${reply?.status}, active 0 of ${(await activity()).total}`;
    },
  },
  {
    id: 'waiting-page',
    says: 'a session that starts: a browser gets a page that waits',
    expected: '200 text/html; charset=utf-8 no-store',
    see: async (c) => {
      const session = await c.session();
      await session.put('starting');
      const reply = await session.get('/', ['Accept: text/html', 'Sec-Fetch-Mode: navigate']);
      return `${reply.status} ${reply.header('content-type')} ${reply.header('cache-control')}`;
    },
  },
  {
    id: 'held',
    says: 'a session that starts: every other request waits, upload and all, and is served',
    expected: 'POST <base>/x HTTP/1.1 hello',
    see: async (c) => {
      const session = await c.session(async (visit) =>
        visit.end(plain(`${visit.line} ${await visit.body()}`)),
      );
      await session.put('starting');
      const client = session.dial();
      client.send(`${session.head('/x', ['Content-Length: 5'], 'POST')}he`);
      await c.pause(100);
      const early = session.visits.length;
      await session.put('ready');
      client.send('llo');
      const reply = await client.reply();
      return early > 0 ? 'it did not wait' : (reply?.body ?? '');
    },
  },
  {
    id: 'held-too-long',
    says: 'and is told so when it takes too long',
    expected: '503 session_starting 1',
    see: async (c) => {
      const session = await c.session(undefined, 'hasty');
      await session.put('starting');
      const reply = await session.get('/');
      return `${reply.status} ${codeOf(reply.body)} ${reply.header('retry-after')}`;
    },
  },
  {
    id: 'preflight',
    says: 'a CORS preflight for a session that is no more lets the real request see so',
    expected: `200 ${FOREIGN} true, PUT, x-own`,
    see: async (c) => {
      const session = await c.session();
      await session.router.remove(session.id);
      const asked = [
        `Origin: ${FOREIGN}`,
        'Access-Control-Request-Method: PUT',
        'Access-Control-Request-Headers: x-own',
      ];
      const reply = await session.get('/', asked, 'OPTIONS');
      const allowed = ['origin', 'credentials']
        .map((name) => reply.header(`access-control-allow-${name}`))
        .join(' ');
      const has = (name: string, value: string) => {
        const list = reply.header(`access-control-allow-${name}`) ?? '';
        return list.includes(value) || list === '*' ? value : list;
      };
      return `${reply.status} ${allowed}, ${has('methods', 'PUT')}, ${has('headers', 'x-own')}`;
    },
  },
  {
    id: 'preflight-later',
    says: 'of one that may yet be reached it does not: consent is the app’s to give',
    expected: '503 none',
    see: async (c) => {
      const session = await c.session();
      await session.put('draining');
      const reply = await session.get(
        '/',
        [`Origin: ${FOREIGN}`, 'Access-Control-Request-Method: PUT'],
        'OPTIONS',
      );
      return `${reply.status} ${reply.header('access-control-allow-methods') ?? 'none'}`;
    },
  },
  {
    id: 'own-cors',
    says: 'an app’s own answers get no CORS headers from the router',
    expected: '404 none',
    see: async (c) => {
      const session = await c.session((visit) =>
        visit.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'),
      );
      const reply = await session.get('/', [`Origin: ${FOREIGN}`]);
      return `${reply.status} ${reply.header('access-control-allow-origin') ?? 'none'}`;
    },
  },
];
