/** The part of a record's request that is read before its body. */
export interface RecordHead {
  /** By name in lower case; values of a repeated header are joined. */
  headers: Record<string, string>;
  path: string;
  /** Size of the head, including its empty line. */
  headBytes: number;
  bodyBytes: number;
  /** Whether the client wants to send another request on this connection. */
  keepAlive: boolean;
}

/** As large a head as any parser of this server takes. */
export const MAX_HEAD_BYTES = 32 * 1024;

const END = Buffer.from('\r\n\r\n');
const METHOD = Buffer.from('POST ');
const REQUEST_LINE = /^POST (\/[!-~]*) HTTP\/1\.([01])$/;
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const LENGTH = /^[0-9]{1,10}$/;
const HEADERS_AT_MOST = 200;
const [TAB, CR, SPACE] = [9, 13, 32];
/** These change how a request is read, or what it asks for. */
const UNUSUAL = ['transfer-encoding', 'expect', 'upgrade'];

/**
 * Reads the head of a request that posts a record in the plain form that clients send: with Content-Length, and nothing
 * else that says where the body ends. Returns 'incomplete' if more of the head has to come, and 'unusual' if another
 * parser has to read the request. A value may hold any byte except a line feed: firmware puts control characters into
 * the names of hardware.
 */
export function readRecordHead(
  bytes: Buffer,
  isPath: (path: string) => boolean,
): RecordHead | 'incomplete' | 'unusual' {
  const known = Math.min(bytes.length, METHOD.length);
  if (bytes.compare(METHOD, 0, known, 0, known) !== 0) return 'unusual';
  const end = bytes.indexOf(END);
  if (end < 0 && bytes.length <= MAX_HEAD_BYTES) return 'incomplete';
  if (end < 0 || end > MAX_HEAD_BYTES) return 'unusual';
  const text = bytes.toString('latin1', 0, end + 2);
  const lineEnd = text.indexOf('\r\n');
  const [, path, minor] = REQUEST_LINE.exec(text.slice(0, lineEnd)) ?? [];
  if (path === undefined || !isPath(path)) return 'unusual';
  const headers = readHeaders(text, lineEnd + 2);
  if (!headers || UNUSUAL.some(name => headers[name] !== undefined) || !hasUsableHost(headers.host, minor!))
    return 'unusual';
  const length = headers['content-length'];
  if (length === undefined || !LENGTH.test(length)) return 'unusual';
  const connection = headers.connection?.toLowerCase() ?? '';
  const keepAlive = minor === '1' && !connection.includes('close');
  return { headers, path, headBytes: end + END.length, bodyBytes: Number(length), keepAlive };
}

/** Reads lines that each end in CRLF; undefined if one is not a header. */
function readHeaders(text: string, begin: number): Record<string, string> | undefined {
  const headers: Record<string, string> = {};
  let lines = 0;
  for (let at = begin; at < text.length; ) {
    const lineFeed = text.indexOf('\n', at);
    const colon = text.indexOf(':', at);
    if (text.charCodeAt(lineFeed - 1) !== CR || colon < 0 || colon > lineFeed || ++lines > HEADERS_AT_MOST)
      return undefined;
    const name = nameOf(text.slice(at, colon));
    if (name === undefined) return undefined;
    let [first, last] = [colon + 1, lineFeed - 1];
    while (first < last && isSpace(text.charCodeAt(first))) first++;
    while (first < last && isSpace(text.charCodeAt(last - 1))) last--;
    const value = text.slice(first, last);
    const earlier = headers[name];
    headers[name] = earlier === undefined ? value : `${earlier}, ${value}`;
    at = lineFeed + 1;
  }
  return headers;
}

function isSpace(code: number) {
  return code === SPACE || code === TAB;
}

/** Caches names, since clients send the same few. */
const names = new Map<string, string | undefined>();
const NAMES_AT_MOST = 200;

/** A header's name in lower case; undefined if it is not a valid name, or is a property of every object. */
function nameOf(written: string): string | undefined {
  const known = names.get(written);
  if (known !== undefined || names.has(written)) return known;
  const lower = written.toLowerCase();
  const name = NAME.test(written) && !(lower in Object.prototype) ? lower : undefined;
  if (names.size >= NAMES_AT_MOST) names.clear();
  names.set(written, name);
  return name;
}

/** HTTP/1.0 allows requests without a Host. */
function hasUsableHost(host: string | undefined, minor: string) {
  if (host === undefined) return minor === '0';
  return host === '' || isHost(host);
}

/** Caches hosts, since clients send the same few. */
const hosts = new Map<string, boolean>();
const HOSTS_AT_MOST = 100;

/** Whether the text can be a host: in a URL, each of these characters would end it. */
export function isHost(host: string): boolean {
  let known = hosts.get(host);
  if (known === undefined) {
    known = !/[\s/?#@\\]/.test(host) && URL.canParse(`http://${host}`);
    if (hosts.size >= HOSTS_AT_MOST) hosts.clear();
    hosts.set(host, known);
  }
  return known;
}
