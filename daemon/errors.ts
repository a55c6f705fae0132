/** An error that a caller of the API is meant to read: `code` is stable, `message` says what to do. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** Sent as `Retry-After` when set. */
  readonly retryAfterSeconds: number | undefined;
  /** Further fields of the answer's `error` object. */
  readonly details: Record<string, unknown>;

  constructor(
    status: number,
    code: string,
    message: string,
    options: { retryAfterSeconds?: number; details?: Record<string, unknown> } = {},
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.details = options.details ?? {};
  }
}

/** Something that the daemon depends on is away for now: the work is done again later. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

/** The operator's mistake: the daemon says `message` in one line and exits 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
