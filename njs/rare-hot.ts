import { countUncounted } from './activity-zone.ts';
import { rarePool } from './rare-pool.ts';
import { rareRewrite } from './rare-rewrite.ts';
import { rareToken } from './rare-token.ts';

/** All that few of the requests need that lead to sessions: each part makes itself when it is called. */
export function rareHot() {
  return { countUncounted, rarePool, rareRewrite, rareToken };
}
