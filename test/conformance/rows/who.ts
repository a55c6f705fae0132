import { askFor, codeOf } from '../ask.ts';
import type { Case, Session } from '../case.ts';
import type { Check } from '../row.ts';

const HOST: Check['modes'] = ['host'];

/** Sends a GET whose target and Host lines are made from the sessions' hosts, to a router with A and B. */
async function askAt(
  c: Case,
  make: (a: Session, b: Session) => [target: string, ...hosts: string[]],
): Promise<string> {
  const [a, b] = [await c.session(), await c.session()];
  const [target, ...hosts] = make(a, b);
  const client = a.dial();
  const lines = hosts.map((host) => `Host: ${host}\r\n`).join('');
  client.send(`GET ${target} HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`);
  const reply = await client.reply();
  const names = [...a.visits.map(() => 'A'), ...b.visits.map(() => 'B')];
  return names.join(', ') || `nobody: ${reply?.status} ${codeOf(reply?.body)}`.trim();
}

const HOSTS: [id: string, says: string, expected: string, make: Parameters<typeof askAt>[1]][] = [
  ['exact', 'a session is asked at its own host', 'A', (a) => ['/', a.host]],
  ['capitals', 'whatever the case of its letters', 'A', (a) => ['/', a.host.toUpperCase()]],
  ['port', 'and with any port', 'A', (a) => ['/', `${a.host}:8443`]],
  ['two-agree', 'an absolute target and its Host agree', 'B', (_, b) => [`http://${b.host}/`, b.host]],
  [
    'two-differ',
    'they do not agree: 400',
    'nobody: 400 bad_request_target',
    (a, b) => [`http://${b.host}/`, a.host],
  ],
  ['below', 'a host below a session’s', 'nobody: 404 unknown_session', (a) => ['/', `x.${a.host}`]],
  [
    'unknown',
    'an id that is nobody’s',
    'nobody: 404 unknown_session',
    () => ['/', `${'c'.repeat(26)}.apps.test`],
  ],
  ['glued', 'an id with more before it', 'nobody: 404 unknown_session', (a) => ['/', `x${a.host}`]],
  [
    'longer',
    'a domain that only begins like ours',
    'nobody: 404 unknown_session',
    (a) => ['/', `${a.host}.evil.test`],
  ],
  ['path-style', 'a path as of the other modes', 'nobody: 404', (a) => [`/p/${a.id}/`, 'apps.test']],
];

async function inTurn(c: Case, atOnce: boolean): Promise<string> {
  const sessions = [await c.session(), await c.session()];
  const client = (sessions[0] as Session).dial();
  const turns = [1, 2, 3, 4].map((turn) => {
    const session = sessions[(turn - 1) % 2] as Session;
    return session.head(`/${turn}`).replace('close', 'keep-alive');
  });
  const replies: string[] = [];
  if (atOnce) client.send(turns.join(''));
  for (const turn of turns) {
    if (!atOnce) client.send(turn);
    const reply = await client.reply();
    replies.push(/\/(\d) HTTP/.exec(reply?.body ?? '')?.[1] ?? '?');
  }
  const asked = (number: string) =>
    'AB'[sessions.findIndex(({ visits }) => visits.some(({ line }) => line.includes(`/${number} `)))];
  return replies.map((number) => `${asked(number)} ${number}`).join(' ');
}

export const who: Check[] = [
  ...HOSTS.map(
    ([id, says, expected, make]): Check => ({
      says,
      expected,
      id: `host-${id}`,
      modes: HOST,
      see: (c) => askAt(c, make),
    }),
  ),
  {
    id: 'host-trailing-dot',
    modes: HOST,
    says: 'a host with the root’s dot at its end is no session’s',
    expected: 'nobody',
    see: async (c) => (await askAt(c, (a) => ['/', `${a.host}.`])).replace(/:.*/, ''),
  },
  {
    id: 'reserved',
    modes: HOST,
    says: '`/.spawner/` belongs to the router',
    expected: 'nobody: 404',
    see: async (c) => (await askAt(c, (a) => ['/.spawner/x', a.host])).replace(/(404).*/, '$1'),
  },
  {
    id: 'any-host',
    modes: ['path', 'path-kept'],
    says: 'the path alone decides, whatever the host',
    expected: 'B',
    see: (c) => askAt(c, (a, b) => [b.target('/'), `${a.id}.apps.test`]),
  },
  {
    id: 'no-host',
    says: 'HTTP/1.1 without Host is 400',
    expected: 'nobody: 400 bad_request',
    see: (c) => askAt(c, (a) => [a.target('/')]),
  },
  {
    id: 'two-hosts',
    says: 'two Hosts are 400, even equal ones',
    expected: 'nobody: 400 bad_request',
    see: (c) => askAt(c, (a) => [a.target('/'), a.host, a.host]),
  },
  ...(['<host> x', '<host>,<host>', '<host>/x', 'user@<host>', '<host>:x'] as const).map(
    (host, index): Check => ({
      id: `bad-host-${index + 1}`,
      says: `Host \`${host}\` reaches nobody in host mode`,
      modes: HOST,
      expected: 'nobody',
      see: async (c) => (await askAt(c, (a) => ['/', host.replaceAll('<host>', a.host)])).replace(/:.*/, ''),
    }),
  ),
  {
    id: 'keep-alive',
    says: 'requests on one connection go each to its own session',
    expected: 'A 1 B 2 A 3 B 4',
    see: (c) => inTurn(c, false),
  },
  {
    id: 'pipelined',
    says: 'also when they are all sent at once, and are answered in order',
    expected: 'A 1 B 2 A 3 B 4',
    see: (c) => inTurn(c, true),
  },
  {
    id: 'after-refusal',
    says: 'a refused request does not change who is asked next',
    expected: '404, then A',
    see: async (c) => {
      const session = await c.session();
      const client = session.dial();
      const nobody = session.head('/').replaceAll(session.id, 'c'.repeat(26)).replace('close', 'keep-alive');
      client.send(nobody + session.head('/'));
      const first = await client.reply();
      await client.reply();
      return `${first?.status}, then ${session.visits.length === 1 ? 'A' : 'nobody'}`;
    },
  },
  {
    id: 'whole-host',
    says: 'an app has its whole host but `/.spawner/`',
    modes: ['host'],
    expected: 'A: GET /_spawner_hold HTTP/1.1, A: GET /p/-/wait/x HTTP/1.1',
    see: async (c) => `${await askFor(c, '/_spawner_hold')}, ${await askFor(c, '/p/-/wait/x')}`,
  },
];
