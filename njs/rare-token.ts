import { admit, appCookies } from './token-access.ts';
import { watch } from './watch.ts';

/** What a request needs whose session asks for a token. */
export function rareToken() {
  return { admit, appCookies, watch };
}
