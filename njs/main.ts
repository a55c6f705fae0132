/**
 * What nginx calls where a request is not led to a session: the admin API, the router's own answers, waiting. The
 * bundle of the locations that lead to sessions is njs/hot.ts; its remark on `rare…` holds here, too.
 */
import { rare } from './rare.ts';
import { rarePoll } from './rare-poll.ts';
import { release } from './release.ts';

function admin(r: NginxHTTPRequest): Promise<void> {
  return rare().admin(r);
}

function hold(r: NginxHTTPRequest): void {
  rare().hold(r);
}

function wait(r: NginxHTTPRequest): void {
  rare().wait(r);
}

function answerBody(r: NginxHTTPRequest): string {
  return rare().answerBody(r);
}

function answerHeaders(r: NginxHTTPRequest): void {
  rare().answerHeaders(r);
}

function poll(r: NginxHTTPRequest): void {
  rarePoll().poll(r);
}

function writeLog(): void {
  rare().writeLog();
}

export default { admin, answerBody, answerHeaders, hold, poll, release, wait, writeLog };
