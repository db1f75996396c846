import type { Context } from 'hono';
import { ErrorPage, type ErrorPageProps } from '../../views/parts/error.tsx';
import { isConnectionFailure, isTooSlow } from '../db/sqlstates.ts';
import { isCutOff, RequestError } from '../errors.ts';
import type { Log } from '../log.ts';
import { shownPath } from './addresses.ts';
import { bareFrame } from './frame.ts';

interface ErrorAnswer {
  status: RequestError['status'] | 500;
  message: string;
}

const RETRY_AFTER_SECONDS = '5';

/** One answer for whatever went wrong: a page under /telemetryui, JSON elsewhere. Only messages that are safe to show get out. */
export function errorResponse(
  c: Context,
  error: unknown,
  asset: (name: string) => string,
  log?: Log,
): Response | Promise<Response> {
  const { status, message, headers } = answerToError(
    error,
    { method: c.req.method, path: c.req.path, left: c.req.raw.signal.aborted },
    log,
  );
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  if (!c.req.path.startsWith('/telemetryui')) return c.json({ message }, status);
  const { title, hints, help } = WORDS[status];
  return c.html(
    <ErrorPage
      frame={bareFrame(c, asset)}
      status={status}
      title={title}
      message={sentence(message)}
      hints={hints}
      help={help}
    />,
    status,
  );
}

/** What is answered to a request that met an error, which is logged where that is ours; of who has `left` nothing is. */
export function answerToError(
  error: unknown,
  { method, path, left = false }: { method: string; path: string; left?: boolean },
  log?: Log,
): ErrorAnswer & { headers: Record<string, string> } {
  const { status, message } = toErrorAnswer(error);
  const shown = shownPath(path);
  if (status === 500) log?.error('a request failed', { method, path: shown, reason: describe(error) });
  if (status === 503 && !left) log?.limited('unavailable', 'warn', 'answered 503', { path: shown, reason: message });
  return {
    status,
    message,
    headers: { 'Cache-Control': 'no-store', ...(status === 503 && { 'Retry-After': RETRY_AFTER_SECONDS }) },
  };
}

function toErrorAnswer(error: unknown): ErrorAnswer {
  if (error instanceof RequestError) return error;
  if (isErrorAnswer(error)) return error;
  if (isCutOff(error)) return { status: 400, message: 'the connection was closed before the whole request had come' };
  if (isTooSlow(error)) return { status: 503, message: 'this took too long and was stopped; narrow the filter' };
  if (isConnectionFailure(error))
    return { status: 503, message: 'the database is not available at the moment; try again' };
  return { status: 500, message: 'something went wrong in the server; the log says what' };
}

function isErrorAnswer(error: unknown): error is ErrorAnswer {
  return (
    typeof error === 'object' && error !== null && !(error instanceof Error) && 'status' in error && 'message' in error
  );
}

/** The stack for the log; never the query's parameters, which may be payloads. */
function describe(error: unknown) {
  const { message, stack, code } = error as { message?: string; stack?: string; code?: string };
  return [code, message, stack?.split('\n').slice(1, 4).join(' ')].filter(Boolean).join(' ');
}

const TRY_AGAIN = [
  'Machines keep their records and send them again: nothing is lost.',
  'Reload this page in a moment.',
];
const WORDS: Record<ErrorAnswer['status'], Pick<ErrorPageProps, 'title' | 'hints' | 'help'>> = {
  400: { title: 'That request has a mistake', hints: ['Check the address, or go back and correct the form.'] },
  401: { title: 'Sign in first', hints: [], help: 'access' },
  403: { title: 'Not allowed', hints: [], help: 'access#accounts-and-roles' },
  404: {
    title: 'Not found',
    hints: ['A record may have been removed by retention.', 'Check the address for a typing mistake.'],
  },
  405: { title: 'Method not allowed', hints: [] },
  408: { title: 'Too slow', hints: ['Send it again over a faster connection.'] },
  413: { title: 'Too large', hints: [] },
  429: { title: 'Too many attempts', hints: [], help: 'access#sessions-and-passwords' },
  500: {
    title: 'Something went wrong',
    hints: ['This is not your mistake. An administrator finds the reason in the log.'],
    help: 'watch#the-log',
  },
  503: { title: 'Not available at the moment', hints: TRY_AGAIN, help: 'watch#when-something-is-wrong' },
};

function sentence(message: string) {
  return `${message[0]!.toUpperCase()}${message.slice(1)}.`;
}
