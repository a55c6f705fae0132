/**
 * How many requests and WebSockets of a session are running, and how many ever began.
 *
 * Each worker counts under keys of its own, `<pid>/<id>`, so that the counts of a killed worker can be told from
 * living ones. A value is `began * 2^20 + running`: one write a phase. The key is the request's mark: the log phase
 * takes back what the mark says.
 */
export const BEGAN = 1048576;

/** The character code of `?`, before the mark of a request that finds out whether nginx' pool has its backend. */
export const TRIED = 63;
