import { poll } from './watch-poll.ts';

/** What a poll for a revoked token needs: little, since it lasts, and there is one for each open WebSocket. */
export function rarePoll() {
  return { poll };
}
