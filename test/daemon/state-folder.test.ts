import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { ConfigError } from '../../daemon/errors.ts';
import { takeStateFolder } from '../../daemon/state-folder.ts';

test('a state folder is made private, and taken once, by whatever name', async (t) => {
  const scratch = await mkdtemp(path.join(tmpdir(), 'spawner-folder-'));
  t.teardown(() => rm(scratch, { recursive: true }));
  const folder = path.join(scratch, 'a'.repeat(120), 'state');
  await takeStateFolder(folder);
  await t.throwsAsync(takeStateFolder(folder), {
    instanceOf: ConfigError,
    message: /in use by another daemon/,
  });
  await t.throwsAsync(takeStateFolder(`${scratch}/./${'a'.repeat(120)}/state`), { message: /in use/ });

  const open = path.join(scratch, 'open');
  await mkdir(open);
  await chmod(open, 0o777);
  await t.throwsAsync(takeStateFolder(open), { instanceOf: ConfigError, message: /writable by you alone/ });

  const link = path.join(scratch, 'link');
  await symlink(open, link);
  await t.throwsAsync(takeStateFolder(link), { instanceOf: ConfigError, message: /is not a folder/ });

  const file = path.join(scratch, 'file');
  await writeFile(file, '');
  await t.throwsAsync(takeStateFolder(file), { instanceOf: ConfigError, message: /--state-dir/ });
  await t.throwsAsync(takeStateFolder(path.join(file, 'below')), { message: /can't be made/ });
});
