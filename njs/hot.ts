/**
 * What nginx calls in the locations that lead to sessions: a bundle of its own, because njs makes all functions of a
 * bundle anew for each request, and keeps them until the request ends: for as long as a WebSocket is open. So all that
 * a `rare…` stands for is put into its body (scripts/build.ts), and made when it is called.
 */
import { backend, direct, release } from './forward.ts';
import { rareHot } from './rare-hot.ts';

function appCookies(r: NginxHTTPRequest): string | Buffer {
  return rareHot().rareToken().appCookies(r);
}

function watch(r: NginxHTTPRequest): string {
  return rareHot().rareToken().watch(r);
}

/** `$spawner_unpooled`: the address of a backend that the pool did not have, for a request that asked it. */
function unpooled(r: NginxHTTPRequest): string {
  return rareHot().rarePool().forget(r);
}

/** Called for every answer of an app; few have anything to rewrite. */
function rewriteHeaders(r: NginxHTTPRequest): void {
  if (r.variables.spawner_rewrites !== '') {
    rareHot().rareRewrite().rewriteHeaders(r);
  }
}

export default { appCookies, backend, direct, release, rewriteHeaders, unpooled, watch };
