/** What nginx/spawner-http.conf and nginx/spawner-server.conf call. */
import { backend, direct, release, unpooled } from './forward.ts';
import { rare } from './rare.ts';
import { rarePoll } from './rare-poll.ts';
import { rareRewrite } from './rare-rewrite.ts';
import { rareToken } from './rare-token.ts';

/**
 * For each request njs makes all functions of the bundle anew, and keeps them until the request ends: for as long as
 * a WebSocket is open. So scripts/build.ts puts all that a `rare…` stands for into its body, made when it is called.
 */
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

function appCookies(r: NginxHTTPRequest): string | Buffer {
  return rareToken().appCookies(r);
}

function watch(r: NginxHTTPRequest): string {
  return rareToken().watch(r);
}

function poll(r: NginxHTTPRequest): void {
  rarePoll().poll(r);
}

function writeLog(): void {
  rare().writeLog();
}

/** Called for every answer of an app; few have anything to rewrite. */
function rewriteHeaders(r: NginxHTTPRequest): void {
  if (r.variables.spawner_rewrites !== '') {
    rareRewrite().rewriteHeaders(r);
  }
}

export default {
  admin,
  answerBody,
  answerHeaders,
  appCookies,
  backend,
  direct,
  hold,
  poll,
  release,
  rewriteHeaders,
  unpooled,
  wait,
  watch,
  writeLog,
};
