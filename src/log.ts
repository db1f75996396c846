type LogLevel = 'error' | 'warn' | 'info' | 'debug';
type LogFields = Record<string, string | number | boolean | null | undefined>;

export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** Writes at most one line a minute for each `key`; the next line says how many were left out. */
  limited(key: string, level: LogLevel, message: string, fields?: LogFields): void;
}

const RANK: Record<LogLevel, number> = { error: 0, warn: 1, info: 2, debug: 3 };
const LIMIT_MS = 60_000;
const LIMITED_KEYS = 1000;

/** Writes one line per event to stderr. Callers never pass payloads or secrets. */
export function createLog(level: LogLevel, format: 'text' | 'json', write = writeToStderr): Log {
  const limits = new Map<string, { since: number; leftOut: number }>();
  const line = format === 'json' ? jsonLine : textLine;

  function log(at: LogLevel, message: string, fields: LogFields = {}) {
    if (RANK[at] <= RANK[level]) write(line(at, message, fields));
  }

  function limited(key: string, at: LogLevel, message: string, fields: LogFields = {}) {
    const now = Date.now();
    const limit = limits.get(key);
    if (limit && now - limit.since < LIMIT_MS) {
      limit.leftOut++;
      return;
    }
    if (limits.size >= LIMITED_KEYS) limits.clear();
    limits.set(key, { since: now, leftOut: 0 });
    log(at, message, limit?.leftOut ? { ...fields, left_out: limit.leftOut } : fields);
  }

  return {
    error: (message, fields) => log('error', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    info: (message, fields) => log('info', message, fields),
    debug: (message, fields) => log('debug', message, fields),
    limited,
  };
}

function textLine(level: LogLevel, message: string, fields: LogFields) {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${plain(value)}`);
  return `${new Date().toISOString()} ${level.padEnd(5)} ${oneLine(message)}${pairs.join('')}\n`;
}

function jsonLine(level: LogLevel, message: string, fields: LogFields) {
  return `${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`;
}

function plain(value: LogFields[string]) {
  return typeof value === 'string' && !/^[\w./:@+-]+$/.test(value) ? JSON.stringify(value) : String(value);
}

function oneLine(text: string) {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}

function writeToStderr(line: string) {
  process.stderr.write(line);
}
