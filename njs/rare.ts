import { admin } from './admin.ts';
import { answerBody, answerHeaders } from './answer.ts';
import { hold, wait } from './hold.ts';
import { rewriteHeaders } from './rewrite.ts';
import { admit, appCookies } from './token-access.ts';
import { watch } from './watch.ts';

/** The handlers that a proxied request needs none of. */
export function rare() {
  return { admin, admit, answerBody, answerHeaders, appCookies, hold, rewriteHeaders, wait, watch };
}
