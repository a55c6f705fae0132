import test from 'ava';
import { newSession, type SessionState } from '../../daemon/session.ts';
import { createSessionStore } from '../../daemon/session-store.ts';

test('a session that was ever ready stays usable until it ends, however its readiness flaps', (t) => {
  const store = createSessionStore();
  const session = newSession({ id: 's', createdAt: 0, labels: {}, idempotency: null, tokenEpoch: null }, '');
  const become = (state: SessionState) => {
    session.state = state;
    store.changed(session);
    return store.usable();
  };
  store.add(session);
  t.deepEqual(become('starting'), [], 'nobody can have been there');
  t.deepEqual(become('ready'), [session]);
  t.deepEqual(become('starting'), [session]);
  t.deepEqual(become('ready'), [session]);
  t.deepEqual(become('draining'), [session]);
  t.deepEqual(become('gone'), []);
});

test('a forgotten session is not usable', (t) => {
  const store = createSessionStore();
  const session = newSession({ id: 's', createdAt: 0, labels: {}, idempotency: null, tokenEpoch: null }, '');
  store.add(session);
  session.state = 'ready';
  store.changed(session);
  store.forget(session);
  t.deepEqual(store.usable(), []);
});
