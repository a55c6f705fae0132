import { confirm, forget } from './pool-trial.ts';

/** What a request needs that nginx' pool may not have a backend for. */
export function rarePool() {
  return { confirm, forget };
}
