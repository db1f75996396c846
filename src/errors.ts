/** An error with a message that an operator can act on; `remedy` says how, in one sentence. */
export class OperatorError extends Error {
  override name = 'OperatorError';
  readonly remedy: string | undefined;

  constructor(message: string, remedy?: string, options?: ErrorOptions) {
    super(message, options);
    this.remedy = remedy;
  }
}

/** "EROFS: read-only file system" of a file system error, without the call and the path, which may not help people. */
export function fileReason(error: unknown): string {
  return (error as Error).message.replace(/^(E[A-Z0-9]+: [^,]*), .*/s, '$1');
}

/** A request that can't be served: the answer's status and a message that is safe to show. */
export class RequestError extends Error {
  override name = 'RequestError';
  readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 413 | 429 | 503;

  constructor(status: RequestError['status'], message: string) {
    super(message);
    this.status = status;
  }
}

/** The database can't be reached now: requests are answered 503 and may be tried again. */
export class DatabaseUnavailable extends Error {
  override name = 'DatabaseUnavailable';
}

/** Whether the client left, or was dropped as too slow, before its whole request had come. */
export function isCutOff(error: unknown): boolean {
  if (error instanceof RequestError) return error.status === 408;
  return error instanceof DOMException && error.name === 'AbortError';
}
