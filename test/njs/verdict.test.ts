import test from 'ava';
import { isNavigation } from '../../njs/navigation.ts';
import type { Route, RouteState } from '../../njs/route.ts';
import { type Facts, verdictOn } from '../../njs/verdict.ts';

const A = 'a'.repeat(26);

function facts(changes: Partial<Facts>): Facts {
  return {
    upstreamStatus: '',
    target: `/p/${A}/x?y`,
    path: `/p/${A}/x`,
    id: A,
    route: undefined,
    filled: true,
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

test('a target that names one thing raw and another one decoded is refused', (t) => {
  const id = '';
  t.is(verdictOn(facts({ id, target: `/p/${A}/../b/`, path: '/p/b/' })), 'bad_request_target');
  t.is(verdictOn(facts({ id, target: `//p/${A}/`, path: `/p/${A}/` })), 'bad_request_target');
  t.is(verdictOn(facts({ id, target: `/p/${A}%2fx`, path: `/p/${A}/x` })), 'bad_request_target');
  t.is(verdictOn(facts({ id, target: '/p/short/x', path: '/p/short/x', filled: false })), 'unknown_session');
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
