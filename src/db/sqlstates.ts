import { DatabaseUnavailable } from '../errors.ts';

// Groups PostgreSQL's errors by their SQLSTATE (Appendix A of its manual), and those of the database client by their
// names.

const CONNECTION_CODES = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'ANSWER_TIMEOUT',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
]);
/**
 * A regular expression needs more to compile or match than PostgreSQL has: memory, stack, or a limit of its program.
 */
const TOO_MUCH = new Set(['XX000', '53200', '54000', '54001']);

/** The SQLSTATE of a query's error, or the name that the client gives it; empty for any other error. */
function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '');
}

/** A statement took longer than it may, or was cancelled. */
export function isTooSlow(error: unknown): boolean {
  return codeOf(error) === '57014';
}

/**
 * The database went away, is starting or stopping (classes 08, 53, 57P), or did not answer in time: the query was not
 * at fault.
 */
export function isConnectionFailure(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable || isTooSlow(error)) return true;
  const code = codeOf(error);
  return CONNECTION_CODES.has(code) || /^(08|53|57P)/.test(code);
}

/** A deadlock, or a conflict with other transactions: the same work may be tried again. */
export function isRetryable(error: unknown): boolean {
  return ['40001', '40P01'].includes(codeOf(error));
}

/** The database refuses the data: a data exception or a constraint violation. */
export function isDataError(error: unknown): boolean {
  return /^2[23]/.test(codeOf(error));
}

/** A statement gave up waiting for a lock. */
export function isLocked(error: unknown): boolean {
  return codeOf(error) === '55P03';
}

/**
 * Another instance made it first: the table exists, or (at the very same moment) the catalogue reports a duplicate key.
 */
export function isMadeByAnother(error: unknown): boolean {
  return ['42P07', '42710', '23505'].includes(codeOf(error));
}

export function isTableMissing(error: unknown): boolean {
  return codeOf(error) === '42P01';
}

/** A row on its way into DEFAULT met a partition that was just being made. */
export function isMovedByPartition(error: unknown): boolean {
  return codeOf(error) === '23514' && !(error as { constraint_name?: string }).constraint_name;
}

/** The text is not a regular expression. */
export function isNoExpression(error: unknown): boolean {
  return codeOf(error) === '2201B';
}

/** The text is not a regular expression, or needs more than PostgreSQL has. */
export function isUnfitExpression(error: unknown): boolean {
  return isNoExpression(error) || TOO_MUCH.has(codeOf(error));
}
