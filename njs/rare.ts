import { admin } from './admin.ts';
import { answerBody, answerHeaders } from './answer.ts';
import { hold, wait } from './hold.ts';
import { guarded } from './log.ts';
import { writeLog } from './log-write.ts';

/** The handlers that a proxied request needs none of. */
export function rare() {
  return { admin, answerBody, answerHeaders, hold: told('hold', hold), wait: told('wait', wait), writeLog };
}

/** The same handler; if it throws, that is told. */
function told(name: string, handler: (r: NginxHTTPRequest) => void): (r: NginxHTTPRequest) => void {
  return (r) =>
    guarded(
      name,
      r,
      () => handler(r),
      () => r.return(500),
    );
}
