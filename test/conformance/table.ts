/** The conformance table: docs/conformance.md. */
import type { Check, Row } from './row.ts';
import { answers } from './rows/answers.ts';
import { cookies } from './rows/cookies.ts';
import { errors } from './rows/errors.ts';
import { forwarding } from './rows/forwarding.ts';
import { hops } from './rows/hops.ts';
import { http1 } from './rows/http1.ts';
import { http2 } from './rows/http2.ts';
import { http2Extras } from './rows/http2-extras.ts';
import { inner } from './rows/inner.ts';
import { interim } from './rows/interim.ts';
import { limits } from './rows/limits.ts';
import { locations } from './rows/locations.ts';
import { methods } from './rows/methods.ts';
import { proxies } from './rows/proxies.ts';
import { refusedTargets } from './rows/refused-targets.ts';
import { smuggling } from './rows/smuggling.ts';
import { streaming } from './rows/streaming.ts';
import { target } from './rows/target.ts';
import { tokens } from './rows/tokens.ts';
import { upgrades } from './rows/upgrades.ts';
import { uploads } from './rows/uploads.ts';
import { webSocket } from './rows/web-socket.ts';
import { who } from './rows/who.ts';

const GROUPS: { [group: string]: Check[] } = {
  'Request target': [...target, ...refusedTargets, ...methods],
  'Who is asked': who,
  Responses: [...locations, ...cookies, ...answers, ...interim],
  Forwarding: [...forwarding, ...proxies, ...hops],
  WebSocket: [...upgrades, ...webSocket],
  Streaming: [...streaming, ...uploads],
  'TLS, HTTP/2 and HTTP/1.0': [...http2, ...http2Extras, ...http1],
  Errors: errors,
  'Access tokens': tokens,
  Safety: [...smuggling, ...inner, ...limits],
};

export const TABLE: Row[] = Object.entries(GROUPS).flatMap(([group, checks]) =>
  checks.map((check) => ({ ...check, group })),
);
