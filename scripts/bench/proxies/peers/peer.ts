import type { Session } from '../visited.ts';

/** Where sessions are, and who plays them. */
export interface World {
  /** Backends that answer HTTP. */
  http: Session[];
  /** Backends that echo WebSocket messages. */
  webSockets: Session[];
  /** Where backends may be, as the router is told: `127.0.0.1:20000-29999`. */
  ports: { first: number; last: number };
}

/** A proxy that runs. */
export interface RunningProxy {
  /** Of 127.0.0.1: `/p/<id>/…` reaches the session's backend. */
  port: number;
  pid: number;
  /** `unix:/path` of the admin API, if it is our router. */
  admin?: string;
  stop(): Promise<void>;
}

/** A way to proxy. */
export interface Peer {
  /** For the command line. */
  name: string;
  /** For tables, with versions. */
  title: string;
  /** Whether it looks up a session's backend; else it knows one for all. */
  looksUp: boolean;
  /** Runs it in a folder of its own, which does not exist yet. */
  start(world: World, directory: string): Promise<RunningProxy>;
}
