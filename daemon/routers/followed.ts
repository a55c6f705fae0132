import { isLost } from './lost.ts';
import type { RouterLink } from './router-link.ts';

/** A router that is to be followed. */
export interface RouterMember {
  /** Of its admin API: `unix:/path` or `http://host:port`. */
  address: string;
  /**
   * Found in a directory that lists a router until nothing of it is left (a Service's Endpoints), not named by hand.
   * Such a router that refuses our calls may be shutting down: nginx closes its listeners first, and serves open
   * WebSockets on until they end.
   */
  discovered: boolean;
  /** Since when no new connections are led to it, on the daemon's clock. Missing if nobody can tell. */
  unreadySince?: () => number | undefined;
}

/** A router that is followed. */
export interface Followed {
  member: RouterMember;
  link: RouterLink;
  /** Whether it was there when the daemon began to follow. */
  original: boolean;
  stopChecks: () => void;
}

/**
 * Whether a router may carry visitors though nobody listens at its admin API: it may be one that shuts down. One that
 * came later and never held our table has not begun yet. What those did that we found at our start, nobody knows.
 */
export function mayShutDown({ member, original, link }: Followed): boolean {
  return member.discovered && (original || link.wasLive());
}

/** Whether it is lost at `now`: then it counts as if it were not followed, but is asked on. */
export function isLostAt({ member, link }: Followed, now: number): boolean {
  return isLost({ silentSince: link.silentSince(), unreadySince: member.unreadySince?.() }, now);
}
