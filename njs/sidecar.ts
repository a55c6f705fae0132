/** What nginx/sidecar.conf calls: watches the Pod's TCP tables and answers `GET /status`. */
import { fail, ok, type Reply, send } from './reply.ts';
import { readTables, socketsInUse, uptime } from './sidecar-proc.ts';
import { sidecarSettings } from './sidecar-settings.ts';
import { nextUse, statusOf, type Use, unchangedUse } from './sidecar-use.ts';

/** njs forgets a handler's variables, so the zone holds what is known: the use, or why it is not known. */
type Known = { use: Use; problem?: undefined } | { use?: undefined; problem: string };

const KEY = 'known';

function sample(): void {
  const known = readKnown();
  const next = look(known.use);
  if (next.problem !== undefined && next.problem !== known.problem) {
    ngx.log(ngx.ERR, `spawner: ${next.problem}`);
  }
  zone().set(KEY, JSON.stringify(next));
}

function look(last: Use | undefined): Known {
  try {
    const settings = sidecarSettings(process.env);
    const before = uptime();
    // Before the tables, so that what changes while they are read is noticed next time.
    const inUse = socketsInUse();
    const unchanged = last && unchangedUse(last, inUse, before);
    if (unchanged) {
      return { use: unchanged };
    }
    const sockets = readTables(settings.port);
    return { use: nextUse(last, { before, after: uptime(), inUse, sockets }, settings.probeSeconds) };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

function status(r: NginxHTTPRequest): void {
  if (r.uri !== '/status') {
    send(r, fail(404, 'not_found', 'the sidecar answers GET /status only'));
  } else if (r.method !== 'GET') {
    send(r, fail(405, 'method_not_allowed', 'this path takes GET'));
  } else {
    send(r, statusReply());
  }
}

/** What is not known is an error, never "idle": on the answer hangs whether the session is reaped. */
function statusReply(): Reply {
  try {
    const known = readKnown();
    if (known.problem !== undefined) {
      return unknown(known.problem);
    }
    const now = statusOf(known.use, uptime());
    return now === undefined ? unknown('the last look at the TCP tables is too old') : ok({ ...now });
  } catch (error) {
    return unknown((error as Error).message);
  }
}

function unknown(why: string): Reply {
  return fail(503, 'status_unknown', why);
}

function readKnown(): Known {
  const text = zone().get(KEY);
  return text === undefined ? { problem: 'the TCP tables were not looked at yet' } : JSON.parse(text);
}

function zone(): NgxSharedDict<string> {
  return ngx.shared.spawner_sidecar as NgxSharedDict<string>;
}

export default { sample, status };
