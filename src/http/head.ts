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
const [TAB, CR, SPACE] = [9, 13, 32];
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

/** Of lines that each end in CRLF; undefined where one is no header. */
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

/** Clients write the same few. */
const names = new Map<string, string | undefined>();
const NAMES_AT_MOST = 200;

/** A header's name in lower case; undefined for what is none, or means something to every object. */
function nameOf(written: string): string | undefined {
  const known = names.get(written);
  if (known !== undefined || names.has(written)) return known;
  const lower = written.toLowerCase();
  const name = NAME.test(written) && !(lower in Object.prototype) ? lower : undefined;
  if (names.size >= NAMES_AT_MOST) names.clear();
  names.set(written, name);
  return name;
}

/** HTTP/1.0 knows requests without one. */
function hasUsableHost(host: string | undefined, minor: string) {
  if (host === undefined) return minor === '0';
  return host === '' || isHost(host);
}

/** Clients name the same few. */
const hosts = new Map<string, boolean>();
const HOSTS_AT_MOST = 100;

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
