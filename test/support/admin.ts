import { type Address, ask } from './http.ts';

export interface AdminAnswer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: parsed JSON; what a test reads of it, it also asserts.
  body: any;
}

export interface Admin {
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: { [name: string]: string },
  ): Promise<AdminAnswer>;
  /** One route, at the next generation. */
  put(id: string, state: 'starting' | 'ready' | 'draining', address?: string): Promise<AdminAnswer>;
  /** A tombstone, at the next generation. */
  remove(id: string): Promise<AdminAnswer>;
  /** Marks the table as filled. */
  fill(): Promise<void>;
  /** The live and the total count of a session. */
  activity(id: string): Promise<{ active: number; total: number }>;
}

/** A client of the admin API that numbers its writes itself. */
export function adminAt(address: Address, token?: string): Admin {
  let generation = 0;
  const auth: { [name: string]: string } = token ? { authorization: `Bearer ${token}` } : {};
  const admin: Admin = {
    async call(method, path, body, headers = {}) {
      const answer = await ask(address, path, {
        method,
        headers: { ...auth, ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      return { status: answer.status, body: JSON.parse(answer.body) };
    },
    put(id, state, backend = '') {
      generation += 1;
      return admin.call('POST', '/v1/routes', { generation, put: { [id]: { state, address: backend } } });
    },
    remove(id) {
      generation += 1;
      return admin.call('POST', '/v1/routes', { generation, delete: [id] });
    },
    async fill() {
      const { body } = await admin.call('GET', '/v1/health');
      await admin.call('POST', '/v1/filled', { bootId: body.bootId });
    },
    async activity(id) {
      const { body } = await admin.call('GET', '/v1/activity');
      return body.sessions[id] ?? { active: 0, total: 0 };
    },
  };
  return admin;
}
