import test from 'ava';
import { isNavigation } from '../../njs/navigation.ts';
import type { Route, RouteState } from '../../njs/route.ts';
import { type Facts, isAmbiguous, type Verdict, verdictOn } from '../../njs/verdict.ts';

const A = 'a'.repeat(26);

function facts(changes: Partial<Facts>): Facts {
  return {
    status: '000',
    upstreamStatus: '',
    id: A,
    ambiguous: false,
    route: undefined,
    filled: true,
    access: 'granted',
    originRefused: false,
    limited: false,
    navigation: false,
    ...changes,
  };
}

function route(state: RouteState): Route {
  return { state, generation: 1, address: '', tokenDigest: '' };
}

test('what the table says of a session decides', (t) => {
  t.is(verdictOn(facts({})), 'unknown_session');
  t.is(verdictOn(facts({ filled: false })), 'router_not_filled');
  t.is(verdictOn(facts({ route: route('gone') })), 'session_gone');
  t.is(verdictOn(facts({ route: route('draining') })), 'session_draining');
  t.is(verdictOn(facts({ route: route('starting') })), 'session_starting');
  t.is(verdictOn(facts({ route: route('starting'), navigation: true })), 'waiting_page');
  t.is(verdictOn(facts({ route: route('ready') })), 'session_starting');
});

test('a table that is not filled yet does not hide what it holds already', (t) => {
  t.is(verdictOn(facts({ route: route('gone'), filled: false })), 'session_gone');
});

test('a backend that was tried and failed is a gateway error, whatever became of the route', (t) => {
  t.is(verdictOn(facts({ upstreamStatus: '502', route: route('gone') })), 'bad_gateway');
  t.is(verdictOn(facts({ upstreamStatus: '504' })), 'gateway_timeout');
});

test("nginx's own reason comes first", (t) => {
  const reasons: [string, Verdict][] = [
    ['400', 'bad_request'],
    ['405', 'method_not_allowed'],
    ['408', 'request_timeout'],
    ['414', 'target_too_long'],
    ['494', 'headers_too_large'],
    ['500', 'router_error'],
    ['502', 'bad_gateway'],
    ['504', 'gateway_timeout'],
  ];
  for (const [status, verdict] of reasons) {
    t.is(verdictOn(facts({ status, route: route('ready') })), verdict);
  }
  for (const status of ['', '000', '200', '418']) {
    t.is(verdictOn(facts({ status, route: route('draining') })), 'session_draining');
  }
});

test('who shows no token learns of nothing but an end', (t) => {
  for (const state of ['starting', 'ready', 'draining'] as const) {
    const asked = { route: route(state), navigation: true, originRefused: true, limited: true };
    t.is(verdictOn(facts({ ...asked, access: 'required' })), 'token_required');
    t.is(verdictOn(facts({ ...asked, access: 'enter' })), 'enter');
  }
  t.is(verdictOn(facts({ route: route('gone'), access: 'required' })), 'session_gone');
});

test('a page of a foreign origin and too many connections are refused', (t) => {
  t.is(verdictOn(facts({ route: route('ready'), originRefused: true })), 'origin_refused');
  t.is(verdictOn(facts({ route: route('ready'), limited: true })), 'too_many_connections');
  t.is(verdictOn(facts({ originRefused: true, limited: true })), 'unknown_session');
});

test('a request that names two things at once is refused', (t) => {
  t.is(verdictOn(facts({ id: '', ambiguous: true })), 'bad_request_target');
  t.is(verdictOn(facts({ id: '', filled: false })), 'unknown_session');
});

test('below a path, raw and decoded target must name the same', (t) => {
  const named = (target: string, path: string) =>
    isAmbiguous({ mode: 'path', target, path, host: 'a', hostHeader: 'b' });
  t.true(named(`/p/${A}/../b/`, '/p/b/'));
  t.true(named(`//p/${A}/`, `/p/${A}/`));
  t.true(named(`/p/${A}%2fx`, `/p/${A}/x`));
  t.false(named('/p/short/x', '/p/short/x'));
});

test('with hosts, target and Host header must name the same', (t) => {
  const named = (host: string, hostHeader: string) =>
    isAmbiguous({ mode: 'host', target: `/p/${A}/../b/`, path: '/p/b/', host, hostHeader });
  t.false(named('a.test', 'a.test'));
  t.false(named('a.test', 'A.Test:8000'));
  t.false(named('[::1]', '[::1]:80'));
  t.true(named('a.test', 'b.test'));
  t.true(named('a.test', ''));
});

const page = { Accept: 'text/html,*/*;q=0.8' };

test('a browser that navigates is told from a program', (t) => {
  t.true(isNavigation('GET', page));
  t.true(isNavigation('HEAD', page));
  t.true(isNavigation('GET', { ...page, 'Sec-Fetch-Mode': 'navigate' }));
  t.true(isNavigation('GET', { Accept: 'TEXT/HTML' }));
  t.false(isNavigation('POST', page));
  t.false(isNavigation('GET', {}));
  t.false(isNavigation('GET', { Accept: '*/*' }));
  t.false(isNavigation('GET', { ...page, 'Sec-Fetch-Mode': 'cors' }));
  t.false(isNavigation('GET', { ...page, Upgrade: 'websocket' }));
});
