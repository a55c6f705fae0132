/** What tests do with the example app, and have it do. */
import { once } from 'node:events';
import type { ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import type { Address } from '../../support/http.ts';
import { within } from './within.ts';

const ANSWER_SECONDS = 60;

/** To the example app of a session, by way of a router or of the Service in front of them. */
export async function openWebSocket(t: ExecutionContext, router: Address, id: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${router}/p/${id}/live`);
  // A later error shows as a socket that is not open any more.
  socket.on('error', () => {});
  t.teardown(() => socket.terminate());
  // The app greets every visitor.
  await within(ANSWER_SECONDS, `the WebSocket of ${id}`, once(socket, 'message'));
  return socket;
}

/** Has the example app count once more, and returns what it says then. */
export async function count(socket: WebSocket): Promise<{ session: string; count: number }> {
  const answer = once(socket, 'message');
  socket.send('add');
  return JSON.parse(String((await within(ANSWER_SECONDS, 'an answer on a WebSocket', answer))[0]));
}

/**
 * Environment that makes the example app, or any program of Node, run this code before its own. It may take what
 * modules it needs by `process.getBuiltinModule`.
 */
export function running(code: string): Record<string, string> {
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}

/** The app ends when somebody visits `exit`, and says why. */
export const exitsWhenAsked: Record<string, string> = running(`
  process.getBuiltinModule('diagnostics_channel').subscribe('http.server.request.start', ({ request }) => {
    if (request.url !== '/exit') return;
    console.error('cannot find my database');
    process.exit(7);
  });
`);
