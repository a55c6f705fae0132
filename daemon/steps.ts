/** What is done to a session when its next step is known. */
import type { Logger } from 'pino';
import { createAddresses } from './addresses.ts';
import type { Cleanup } from './cleanup.ts';
import type { Metrics } from './metrics.ts';
import type { Step } from './next-step.ts';
import type { Routers } from './routers/routers.ts';
import type { Place, Runtime } from './runtime/runtime.ts';
import { type Failure, hasEnded, type Session } from './session.ts';
import type { SessionStore } from './session-store.ts';

const ADDRESS_MS = 250;

export interface Steps {
  take(session: Session, step: Step): Promise<void>;
  /** Has routers lead the session's visitors to this place. */
  serve(session: Session, place: Place): Promise<void>;
}

export interface StepsParts {
  store: SessionStore;
  runtime: Runtime;
  routers: Routers;
  cleanup: Cleanup;
  metrics: Metrics;
  log: Logger;
  /** Has a session looked at anew, after a delay. */
  lookAgain: (id: string, inMs?: number) => void;
}

export function createSteps(parts: StepsParts): Steps {
  const { store, runtime, routers, cleanup, metrics, log, lookAgain } = parts;
  const addresses = createAddresses((id, address) => {
    const session = store.get(id);
    return (session && !hasEnded(session) && session.backend === address) || !routers.isSettled(id);
  });

  async function take(session: Session, step: Step): Promise<void> {
    switch (step.do) {
      case 'nothing':
        return;
      case 'look again':
        return lookAgain(session.id, step.inMs);
      case 'become ready':
        return becomeReady(session, step.place);
      case 'stop serving':
        return stopServing(session, step.why);
      case 'fail':
        return fail(session, step.failure);
      case 'end':
        return finish(session);
      case 'clean up':
        return cleanup.endApp(session.id);
    }
  }

  async function becomeReady(session: Session, place: Place): Promise<void> {
    const { backend } = place;
    const other = addresses.otherUser(session.id, backend);
    if (other !== undefined) return letGo(session, other, backend);
    await serve(session, place);
    if (session.state !== 'ready') return;
    // There may be trouble with it all the same: for how long, is the next thing to decide.
    lookAgain(session.id);
    if (session.readyAt !== undefined) return;
    session.readyAt = Date.now();
    const ms = session.readyAt - session.createdAt;
    metrics.started(ms / 1000);
    log.info({ session: session.id, backend, ms }, 'session ready');
    store.changed(session);
  }

  // Two sessions at one address: what we know of one of them is no longer true. None is let in until that is settled.
  async function letGo(session: Session, other: string, backend: string): Promise<void> {
    log.warn({ session: session.id, other, backend }, 'session waits: its address is still that of another');
    await runtime.refresh(other);
    lookAgain(other);
    lookAgain(session.id, ADDRESS_MS);
  }

  async function serve(session: Session, { backend, statusAddress }: Place): Promise<void> {
    addresses.use(session.id, backend);
    const { tokenDigest } = session;
    await routers.set(session.id, { state: 'ready', address: backend, tokenDigest });
    if (routers.refusing(session.id).length > 0) return lookAgain(session.id);
    session.backend = backend;
    session.statusAddress = statusAddress;
    session.state = 'ready';
    store.changed(session);
  }

  // Its requests are held from now on, as in its beginning: it may come back, with another address.
  async function stopServing(session: Session, why: string): Promise<void> {
    log.warn({ session: session.id, reason: why }, 'session does not serve any more');
    session.state = 'starting';
    session.backend = undefined;
    session.waitingSince = Date.now();
    store.changed(session);
    await routers.set(session.id, { state: 'starting', address: '', tokenDigest: session.tokenDigest });
    lookAgain(session.id);
  }

  // The route goes at once: reading the output may take a while.
  async function fail(session: Session, failure: Omit<Failure, 'output'>): Promise<void> {
    const [output] = await Promise.all([runtime.output(session.id), routers.remove(session.id)]);
    session.failure = { ...failure, output };
    metrics.failed(failure.code);
    log.warn({ session: session.id, code: failure.code, reason: failure.message }, 'session failed');
    endAs(session, 'failed');
    lookAgain(session.id);
  }

  // The route goes before the app does.
  async function finish(session: Session): Promise<void> {
    session.state = 'draining';
    await routers.remove(session.id);
    await cleanup.endApp(session.id);
    log.info({ session: session.id, reason: session.ending }, 'session ended');
    endAs(session, 'gone');
  }

  function endAs(session: Session, state: 'failed' | 'gone'): void {
    session.state = state;
    session.endedAt = Date.now();
    store.changed(session);
  }

  return { take, serve };
}
