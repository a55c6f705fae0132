import test, { type ExecutionContext } from 'ava';
import { type Backend, startBackend } from './backend.ts';
import { type Router, type RouterOptions, STACKS, startRouter } from './router.ts';

export interface RouterWorld {
  router: Router;
  /** A backend that ends with the test. */
  backend(name: string): Promise<Backend>;
}

/**
 * Runs a test once on each nginx line and engine, each time with a router of its own; shows its log on failure.
 * One after the other: the files of tests run side by side already.
 */
export function testOnEachStack(
  title: string,
  options: RouterOptions | ((t: ExecutionContext) => Promise<RouterOptions>),
  body: (t: ExecutionContext, world: RouterWorld) => Promise<void>,
): void {
  for (const stack of STACKS) {
    test.serial(`${title} [nginx ${stack.line}, ${stack.engine ?? 'njs'}]`, async (t) => {
      const given = typeof options === 'function' ? await options(t) : options;
      const router = await startRouter({ ...stack, ...given });
      t.teardown(() => router.stop());
      const backend = async (name: string) => {
        const started = await startBackend(name);
        t.teardown(() => started.stop());
        return started;
      };
      try {
        await body(t, { router, backend });
      } catch (error) {
        t.log(await router.errorLog());
        throw error;
      }
    });
  }
}

/** A session id made of one letter. */
export function idOf(letter: string): string {
  return letter.repeat(26);
}
