import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `probe` gives something truthy, and returns that. Throws after `seconds`, saying for what it waited. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  seconds = 15,
): Promise<Exclude<T, undefined | null | false | 0 | ''>> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const value = await probe();
    if (value) {
      return value as Exclude<T, undefined | null | false | 0 | ''>;
    }
    if (performance.now() > deadline) {
      throw new Error(`waited ${seconds} s in vain: ${what}`);
    }
    await sleep(10);
  }
}
