import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import os from 'node:os';

/**
 * Who a daemon is for the Lease: the same for all those, and only those, that `takeMachineLock` keeps apart. So the next
 * one takes over at once where that is safe, and a daemon of another machine with the same name waits. The lock holds in
 * a network namespace of a running kernel (unix(7), network_namespaces(7)); that of a Pod outlives its containers.
 */
export function leaseIdentity(): string {
  const scope = createHash('sha256').update(lockScope()).digest('hex').slice(0, 12);
  return `${os.hostname()}-${scope}`;
}

function lockScope(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${boot} ${readlinkSync('/proc/self/ns/net')}`;
  } catch {
    // A kernel that does not tell: then every daemon is another.
    return randomUUID();
  }
}
