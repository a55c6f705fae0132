import { admin } from './admin.ts';
import { answerBody, answerHeaders } from './answer.ts';
import { hold, wait } from './hold.ts';
import { writeLog } from './log-write.ts';

/** The handlers that a proxied request needs none of. */
export function rare() {
  return { admin, answerBody, answerHeaders, hold, wait, writeLog };
}
