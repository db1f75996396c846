import { trimmed } from '../trim.ts';

/** What is read of a record's request before its body. */
export interface RecordHead {
  /** By name in lower case; the values of one that came twice are joined. */
  headers: Record<string, string>;
  path: string;
  /** Of the head itself, with its empty line. */
  headBytes: number;
  bodyBytes: number;
  /** Whether the client wants to send another request on this connection. */
  keepAlive: boolean;
}

/** As large a head as any parser here takes. */
export const MAX_HEAD_BYTES = 32 * 1024;

const END = Buffer.from('\r\n\r\n');
const METHOD = Buffer.from('POST ');
const REQUEST_LINE = /^POST (\/[!-~]*) HTTP\/1\.([01])$/;
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const LENGTH = /^[0-9]{1,10}$/;
const HEADERS_AT_MOST = 200;
/** They change how a request is read, or what it asks for. */
const UNUSUAL = ['transfer-encoding', 'expect', 'upgrade'];

/**
 * The head of a request that posts a record, where it is of the plain form that clients send: a Content-Length, and no other way to
 * tell where the body ends. 'incomplete' where more of it is to come, 'unusual' for everything else, which another parser is to read.
 * A value may hold any byte but a line feed: firmware puts control characters into the names of hardware.
 */
export function readRecordHead(
  bytes: Buffer,
  isPath: (path: string) => boolean,
): RecordHead | 'incomplete' | 'unusual' {
  const known = Math.min(bytes.length, METHOD.length);
  if (bytes.compare(METHOD, 0, known, 0, known) !== 0) return 'unusual';
  const end = bytes.indexOf(END);
  if (end < 0) return 'incomplete';
  const lines = bytes.toString('latin1', 0, end).split('\r\n');
  const [, path, minor] = REQUEST_LINE.exec(lines[0]!) ?? [];
  if (path === undefined || !isPath(path) || lines.length > HEADERS_AT_MOST) return 'unusual';
  const headers = readHeaders(lines);
  if (!headers || UNUSUAL.some(name => name in headers) || !hasUsableHost(headers.host, minor!)) return 'unusual';
  const length = headers['content-length'];
  if (length === undefined || !LENGTH.test(length)) return 'unusual';
  const connection = headers.connection?.toLowerCase() ?? '';
  const keepAlive = minor === '1' && !connection.includes('close');
  return { headers, path, headBytes: end + END.length, bodyBytes: Number(length), keepAlive };
}

function readHeaders(lines: string[]): Record<string, string> | undefined {
  const headers: Record<string, string> = Object.create(null);
  for (let n = 1; n < lines.length; n++) {
    const line = lines[n]!;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (colon < 1 || line.includes('\n') || !NAME.test(name)) return undefined;
    const value = trimmed(line.slice(colon + 1), ' \t');
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return headers;
}

/** HTTP/1.0 knows requests without one. */
function hasUsableHost(host: string | undefined, minor: string) {
  if (host === undefined) return minor === '0';
  return host === '' || isHost(host);
}

/** Clients name the same few. */
const hosts = new Map<string, boolean>();
const HOSTS_AT_MOST = 1_000;

/** Whether a Host is one: in a URL, each of these characters would end it. */
export function isHost(host: string): boolean {
  let known = hosts.get(host);
  if (known === undefined) {
    known = !/[\s/?#@\\]/.test(host) && URL.canParse(`http://${host}`);
    if (hosts.size >= HOSTS_AT_MOST) hosts.clear();
    hosts.set(host, known);
  }
  return known;
}
