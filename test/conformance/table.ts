/** The conformance table: docs/conformance.md. */
import type { Row } from './row.ts';
import { errors } from './rows/errors.ts';
import { forwarding } from './rows/forwarding.ts';
import { http2 } from './rows/http2.ts';
import { responses } from './rows/responses.ts';
import { safety } from './rows/safety.ts';
import { streaming } from './rows/streaming.ts';
import { target } from './rows/target.ts';
import { tokens } from './rows/tokens.ts';
import { webSocket } from './rows/web-socket.ts';
import { who } from './rows/who.ts';

export const TABLE: Row[] = [
  ...target,
  ...who,
  ...responses,
  ...forwarding,
  ...webSocket,
  ...streaming,
  ...http2,
  ...errors,
  ...safety,
  ...tokens,
];
