import { once } from 'node:events';
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2';
import { connect as connectHttp2 } from 'node:http2';
import type { Case, Session } from './case.ts';

interface Answer {
  status: number;
  headers: { [name: string]: unknown };
  body: string;
  trailers: { [name: string]: unknown };
  interim: { [name: string]: unknown }[];
}

/** An HTTP/2 connection to the session's router, closed with the row. */
export async function openHttp2(c: Case, session: Session): Promise<ClientHttp2Session> {
  const { host, port } = session.router.place;
  const connection = connectHttp2(`https://${host}:${port}`, { rejectUnauthorized: false });
  c.after(() => connection.destroy());
  connection.on('error', () => {});
  await once(connection, 'connect');
  return connection;
}

export async function ask2(
  connection: ClientHttp2Session,
  session: Session,
  rest: string,
  headers: OutgoingHttpHeaders = {},
): Promise<Answer> {
  const head = { ':path': session.target(rest), ':authority': session.host, ...headers };
  const stream = connection.request(head, { endStream: true });
  const answer: Answer = { status: 0, headers: {}, body: '', trailers: {}, interim: [] };
  stream.on('headers', (interim) => answer.interim.push(interim));
  stream.on('trailers', (trailers) => {
    answer.trailers = trailers;
  });
  stream.on('response', (incoming) => {
    answer.status = Number(incoming[':status']);
    answer.headers = incoming;
  });
  stream.setEncoding('latin1');
  for await (const chunk of stream) answer.body += chunk;
  return answer;
}
