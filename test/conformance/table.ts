/** The conformance table: docs/conformance.md. */
import type { Row } from './row.ts';
import { forwarding } from './rows/forwarding.ts';
import { responses } from './rows/responses.ts';
import { target } from './rows/target.ts';
import { webSocket } from './rows/web-socket.ts';
import { who } from './rows/who.ts';

export const TABLE: Row[] = [...target, ...who, ...responses, ...forwarding, ...webSocket];
