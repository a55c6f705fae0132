import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ConfigError } from '../../daemon/errors.ts';
import { keptSecret } from '../../daemon/token-secret.ts';

async function scratch(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'spawner-secret-'));
  t.teardown(() => rm(dir, { recursive: true }));
  return dir;
}

test('a secret is made once, for its owner only', async (t) => {
  const [dir, other] = [await scratch(t), await scratch(t)];
  const secret = await keptSecret(dir);
  t.regex(secret, /^[\w-]{43}$/);
  t.is(await keptSecret(dir), secret);
  t.not(await keptSecret(other), secret);
  t.deepEqual(await readdir(dir), ['token-secret']);
  t.is((await stat(path.join(dir, 'token-secret'))).mode & 0o777, 0o600);
});

test('what a kill left half-written is no secret', async (t) => {
  const dir = await scratch(t);
  await writeFile(path.join(dir, 'token-secret.tmp'), 'half');
  const secret = await keptSecret(dir);
  t.is(await readFile(path.join(dir, 'token-secret'), 'utf8'), secret);
});

test('a file that holds something else is refused', async (t) => {
  for (const text of ['', 'short', `${'x'.repeat(43)}\n`]) {
    const dir = await scratch(t);
    await writeFile(path.join(dir, 'token-secret'), text);
    await t.throwsAsync(keptSecret(dir), { instanceOf: ConfigError, message: /token-secret is no secret/ });
  }
});
