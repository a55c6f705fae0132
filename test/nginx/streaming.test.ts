import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { startBackend } from '../support/backend.ts';
import { open } from '../support/http.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';

const A = idOf('a');
const PATH = `/p/${A}/x`;
const MIB = 1024 * 1024;

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
