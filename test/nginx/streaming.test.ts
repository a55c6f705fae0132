import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { startBackend, startUploadBackend } from '../support/backend.ts';
import { ask, open } from '../support/http.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';

const A = idOf('a');
const PATH = `/p/${A}/x`;
const MIB = 1024 * 1024;

testOnEachStack('an event arrives before the next one is sent', {}, async (t, { router }) => {
  let sendSecond = () => {};
  const app = await startBackend('A', (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write('data: first\n\n');
    sendSecond = () => response.end('data: second\n\n');
  });
  t.teardown(() => app.stop());
  await router.admin.put(A, 'ready', app.address);
  const answer = (await open(router.publicSocket, PATH)).setEncoding('utf8');
  t.is((await once(answer, 'data'))[0], 'data: first\n\n');
  sendSecond();
  t.is((await once(answer, 'data'))[0], 'data: second\n\n');
});

testOnEachStack('the first byte of an upload arrives before its last is sent', {}, async (t, { router }) => {
  const app = await startUploadBackend();
  t.teardown(() => app.stop());
  await router.admin.put(A, 'ready', app.address);
  const upload = new Readable({ read() {} });
  const answer = ask(router.publicSocket, PATH, { method: 'PUT', body: upload });
  upload.push('first');
  t.is(await app.first, 'first');
  upload.push('last');
  upload.push(null);
  t.is((await answer).body, 'all of it');
});

testOnEachStack('100-continue is answered before the body is sent', {}, async (t, { router, backend }) => {
  await router.admin.put(A, 'ready', (await backend('A')).address);
  const outgoing = request({
    socketPath: router.publicSocket,
    path: PATH,
    method: 'POST',
    headers: { expect: '100-continue', 'content-length': '5' },
  });
  outgoing.flushHeaders();
  await once(outgoing, 'continue');
  outgoing.end('hello');
  const [incoming] = await once(outgoing, 'response');
  t.is(incoming.statusCode, 200);
  incoming.resume();
  await once(incoming, 'end');
});

testOnEachStack(
  'large bodies stream through, both ways, without filling memory or disk',
  {},
  async (t, { router }) => {
    const size = 256 * MIB;
    let received = 0;
    const app = await startBackend('A', async (incoming, response) => {
      for await (const chunk of incoming) {
        received += chunk.length;
      }
      response.writeHead(200, { 'Content-Length': size });
      zeros(size).pipe(response);
    });
    t.teardown(() => app.stop());
    await router.admin.put(A, 'ready', app.address);
    const before = await memory(await router.workerPids());
    const answer = await open(router.publicSocket, PATH, { method: 'POST', body: zeros(size) });
    let sent = 0;
    let highest = 0;
    for await (const chunk of answer) {
      if (Math.floor(sent / (64 * MIB)) !== Math.floor((sent + chunk.length) / (64 * MIB))) {
        highest = Math.max(highest, await memory(await router.workerPids()));
      }
      sent += chunk.length;
    }
    t.deepEqual([received, sent], [size, size]);
    t.true(highest - before < 8 * MIB, `workers grew by ${(highest - before) / MIB} MiB`);
    for (const name of await readdir(router.directory)) {
      if (name.startsWith('tmp-')) {
        t.deepEqual(await readdir(join(router.directory, name)), [], name);
      }
    }
  },
);

function zeros(size: number): Readable {
  const chunk = Buffer.alloc(256 * 1024);
  let left = size;
  return new Readable({
    read() {
      left -= chunk.length;
      this.push(left >= 0 ? chunk : null);
    },
  });
}

/** Resident bytes of processes together. */
async function memory(pids: number[]): Promise<number> {
  let pages = 0;
  for (const pid of pids) {
    pages += Number((await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1]);
  }
  return pages * 4096;
}
