import type { ExecutionContext } from 'ava';
import { type Mode, modeOf, parsePublicUrl } from '../../../daemon/public-url.ts';
import type { NginxLine } from '../../../scripts/nginx.ts';
import { type NginxSettings, placeOf } from '../../../scripts/router-settings.ts';
import { reservePorts } from '../../support/ports.ts';
import { startWorld, type World } from '../../support/world.ts';

export interface SiteOptions {
  line: NginxLine;
  mode: Mode;
  /** Shell command of a session. */
  command: string;
  /** Flags of the daemon beside those that place it. */
  flags?: string[];
  env?: Record<string, string>;
  /** With it, the site is https. */
  tls?: NginxSettings['tls'];
}

/** A router that browsers of this machine reach, with its daemon; it ends with the test. */
export async function startSite(t: ExecutionContext, options: SiteOptions): Promise<World> {
  const { line, mode, command, tls, env = {}, flags = [] } = options;
  const ports = await reservePorts();
  t.teardown(ports.release);
  const scheme = tls ? 'https' : 'http';
  // Browsers take every name below localhost for this machine: https://www.rfc-editor.org/rfc/rfc6761#section-6.3
  const publicUrl = `${scheme}://${mode === 'host' ? '{id}.' : ''}localhost:${ports.first}`;
  const parsed = parsePublicUrl(publicUrl);
  if (typeof parsed === 'string') throw new Error(parsed);
  const keepPrefix = mode === 'path-kept';
  return startWorld(t, {
    router: {
      line,
      router: placeOf(parsed, modeOf(parsed, keepPrefix)),
      nginx: { listen: `127.0.0.1:${ports.first}`, ...(tls && { tls }) },
    },
    command,
    env,
    flags: ['--public-url', publicUrl, ...(keepPrefix ? ['--keep-prefix'] : []), ...flags],
  });
}
