import { execFile } from 'node:child_process';
import os from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { leaseIdentity } from '../../../../daemon/runtime/kubernetes/lease-identity.ts';

const MODULE = join(import.meta.dirname, '../../../../daemon/runtime/kubernetes/lease-identity.ts');

test('all daemons of a machine are one, as long as it runs', async (t) => {
  const script = `import { leaseIdentity } from '${MODULE}'; console.log(leaseIdentity())`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  t.is(stdout.trim(), leaseIdentity());
  t.true(leaseIdentity().startsWith(`${os.hostname()}-`));
});
