import { type Directive, inherited, walk } from './nginx-check-syntax.ts';

/** A pattern that has hurt others. `finds` says what is wrong, or nothing. */
export interface Rule {
  id: string;
  /** What goes wrong, and where that is known from. */
  why: string;
  finds(directive: Directive, around: Directive[]): string | undefined;
}

const WRITES_TEXT = [
  'add_header',
  'add_trailer',
  'proxy_pass',
  'proxy_redirect',
  'proxy_set_header',
  'return',
  'rewrite',
  'set',
];
/** The only texts that may stand in proxy_pass: where njs says that the session is, and the client's own bytes. */
const STRICT = ['backend', 'upstream', 'held', 'direct', 'unpooled'].map(
  (place) => `http://$spawner_${place}$spawner_rest`,
);
const LOCATION_MARKS = ['=', '^~', '~', '~*'];

const pathOf = ({ args }: Directive) => args[args.length - 1] ?? '';
const isLocation = ({ name }: Directive) => name === 'location';
const has = ({ block = [] }: Directive, name: string) => block.some((inner) => inner.name === name);
const settingOf = (name: string, around: Directive[]) => inherited(name, around)[0]?.args.join(' ');

/** Locations that something inside of nginx leads to by their path. */
function isLedTo(path: string, around: Directive[]): boolean {
  const server = around.find(({ name }) => name === 'server') ?? around[0];
  for (const [{ name, args }] of walk(server?.block ?? [])) {
    if (['auth_request', 'error_page', 'mirror'].includes(name) && args.at(-1) === path) return true;
  }
  return path.startsWith('/_');
}

function servesSessions(around: Directive[]): boolean {
  const server = around.find(({ name }) => name === 'server');
  return server !== undefined && [...walk(server.block ?? [])].some(([{ name }]) => name === 'proxy_pass');
}

export const RULES: Rule[] = [
  {
    id: 'decoded',
    why: 'a decoded path or capture lets %0d%0a begin a new header, or a new request (gixy: http_splitting)',
    finds: ({ name, args }) =>
      WRITES_TEXT.includes(name) && args.some((text) => /\$\{?(uri|document_uri|\d)\b/.test(text))
        ? `${name} ${args.join(' ')}`
        : undefined,
  },
  {
    id: 'named-capture',
    why: 'what a location’s pattern captures is decoded',
    finds: ({ name, args }) =>
      ['location', 'if', 'server_name'].includes(name) && args.some((text) => text.includes('(?<'))
        ? args.join(' ')
        : undefined,
  },
  {
    id: 'blind-upgrade',
    why: 'any upgrade that is passed on is a tunnel around the router (BishopFox: h2c smuggling)',
    finds: ({ name, args }) =>
      name === 'proxy_set_header' &&
      /^(upgrade|connection)$/i.test(args[0] ?? '') &&
      /\$http_|^upgrade$/i.test(args[1] ?? '')
        ? args.join(' ')
        : undefined,
  },
  {
    id: 'loose-proxy-pass',
    why: 'a target of which a client has a say is an open proxy; a name in it may be any upstream’s',
    finds: ({ name, args }) =>
      name === 'proxy_pass' && args.some((text) => text.includes('$')) && !STRICT.includes(args[0] ?? '')
        ? args[0]
        : undefined,
  },
  {
    id: 'if-effects',
    why: '`if` with anything but `return` in it does not do what it says (nginx wiki: If is Evil)',
    finds: ({ name, block = [] }, around) =>
      name === 'if' && around.some(isLocation)
        ? block.find((inner) => inner.name !== 'return')?.name
        : undefined,
  },
  {
    id: 'alias-traversal',
    why: '`location /x` with `alias /y/` serves /x../ (gixy: alias_traversal)',
    finds: (directive) =>
      isLocation(directive) &&
      has(directive, 'alias') &&
      directive.args[0] !== '=' &&
      !pathOf(directive).endsWith('/')
        ? pathOf(directive)
        : undefined,
  },
  {
    id: 'variable-file',
    why: 'a client’s text in a path of the file system',
    finds: ({ name, args }) =>
      ['root', 'alias', 'include', 'access_log', 'error_log'].includes(name) && args[0]?.includes('$')
        ? args[0]
        : undefined,
  },
  {
    id: 'path-patterns',
    why: 'who may do what must not hang on how nginx decodes and merges a path',
    finds: ({ name, args }, around) => {
      if (name === 'merge_slashes') return args.join();
      const guards = ['allow', 'deny', 'auth_basic', 'auth_request'];
      const pattern = around.find((block) => isLocation(block) && /^~\*?$/.test(block.args[0] ?? ''));
      return guards.includes(name) && pattern ? `${name} in ${pathOf(pattern)}` : undefined;
    },
  },
  {
    id: 'dropped-headers',
    why: 'one add_header in a block takes away all those around it (gixy: add_header_redefinition)',
    finds: (directive, around) =>
      directive.block && has(directive, 'add_header') && inherited('add_header', around).length > 0
        ? directive.args.join(' ')
        : undefined,
  },
  {
    id: 'resolver',
    why: 'whoever answers for names chooses where requests go (CVE-2021-23017 and others)',
    finds: ({ name, args }) =>
      name === 'resolver' && args.some((text) => !/^(127\.|10\.|192\.168\.|\[(::1\]|f[cd])|\w+=)/.test(text))
        ? args.join(' ')
        : undefined,
  },
  {
    id: 'autoindex',
    why: 'lists files',
    finds: ({ name, args }) => (name === 'autoindex' && args[0] !== 'off' ? args[0] : undefined),
  },
  {
    id: 'version',
    why: 'tells which holes there may be',
    finds: (directive, around) =>
      isLocation(directive) && settingOf('server_tokens', [...around, directive]) !== 'off'
        ? pathOf(directive)
        : undefined,
  },
  {
    id: 'nocache',
    why: 'a variable that changes its length between two evaluations overflows the heap (CVE-2026-42533)',
    finds: ({ name, args }) => (name === 'js_set' && args.includes('nocache') ? args[0] : undefined),
  },
  {
    id: 'zone-options',
    why: 'before njs 0.9.7 timeout= and evict corrupt shared memory; state= loses writes',
    finds: ({ name, args }) =>
      name === 'js_shared_dict_zone' ? args.find((text) => /^(timeout=|evict|state=)/.test(text)) : undefined,
  },
  {
    id: 'next-upstream',
    why: 'a request that failed at one backend may be sent again, or to another',
    finds: ({ name }, around) =>
      name === 'proxy_pass' && settingOf('proxy_next_upstream', around) !== 'off' ? 'proxy_pass' : undefined,
  },
  {
    id: 'internal',
    why: 'what is meant for nginx itself must not be asked for from outside',
    finds: (directive, around) => {
      const path = pathOf(directive);
      return isLocation(directive) &&
        path.startsWith('/') &&
        isLedTo(path, around) &&
        !has(directive, 'internal')
        ? path
        : undefined;
    },
  },
  {
    id: 'ids-in-logs',
    why: 'nginx logs whole request lines, and who knows a session’s id may use the session',
    finds: ({ name, args }, around) => {
      if (!['proxy_pass', 'js_content', 'js_header_filter'].includes(name) || !servesSessions(around))
        return undefined;
      const access = settingOf('access_log', around) ?? '';
      const isQuiet =
        settingOf('error_log', around) === '/dev/null emerg' && /^(off$|\/dev\/null )/.test(access);
      return isQuiet ? undefined : `${name} ${args.join(' ')}`;
    },
  },
  {
    id: 'lax-headers',
    why: 'names that one side reads as others (X_Forwarded_For as X-Forwarded-For)',
    finds: ({ name, args }) =>
      `${name} ${args[0]}` === 'underscores_in_headers on' ||
      `${name} ${args[0]}` === 'ignore_invalid_headers off'
        ? name
        : undefined,
  },
  {
    id: 'old-tls',
    why: 'TLS below 1.2 is broken (RFC 8996)',
    finds: ({ name, args }) =>
      name === 'ssl_protocols' ? args.find((version) => !/^TLSv1\.[23]$/.test(version)) : undefined,
  },
  {
    id: 'satisfy-any',
    why: 'one rule that lets somebody in undoes all others',
    finds: ({ name, args }) => (name === 'satisfy' && args[0] === 'any' ? 'satisfy any' : undefined),
  },
  {
    id: 'odd-location',
    why: 'a mark of a location that this check does not know',
    finds: (directive) =>
      isLocation(directive) && directive.args.length > 1 && !LOCATION_MARKS.includes(directive.args[0] ?? '')
        ? directive.args.join(' ')
        : undefined,
  },
];

/** One line for each finding: where, which rule, what. */
export function check(tree: Directive[]): string[] {
  const findings: string[] = [];
  for (const [directive, around] of walk(tree)) {
    for (const { id, finds } of RULES) {
      const found = finds(directive, around);
      if (found !== undefined) findings.push(`${directive.at}: ${id}: ${found}`);
    }
  }
  return findings;
}
