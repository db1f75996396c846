import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { readRecordHead } from '../../src/http/head.ts';

const isPath = (path: string) => path === '/' || path === '/v2/collector';

function read(text: string) {
  return readRecordHead(Buffer.from(text, 'latin1'), isPath);
}

const request = (...lines: string[]) => [...lines, '', ''].join('\r\n');
const FIRST = 'POST /v2/collector HTTP/1.1';
const HOST = 'Host: a.example:8080';
const LENGTH = 'Content-Length: 5';

describe('the head of a plain request', () => {
  test('is read, with its values as they came but for the space around them', () => {
    const text = request(
      FIRST,
      HOST,
      'bios_version:  v1\x01\x02 \x00\x7f\t\r x\t ',
      'X-Twice: a',
      'x-twice: b',
      'Empty:',
      LENGTH,
    );
    expect(read(`${text}hello`)).toEqual({
      path: '/v2/collector',
      headers: {
        host: 'a.example:8080',
        bios_version: 'v1\x01\x02 \x00\x7f\t\r x',
        'x-twice': 'a, b',
        empty: '',
        'content-length': '5',
      },
      headBytes: text.length,
      bodyBytes: 5,
      keepAlive: true,
    });
  });

  test.each([
    ['1.1', [], true],
    ['1.1', ['Connection: close'], false],
    ['1.1', ['Connection: Close, TE'], false],
    ['1.0', [], false],
    ['1.0', ['Connection: keep-alive'], false],
  ])('of HTTP/%s with %j leaves the connection open: %p', (version, lines, keepAlive) => {
    expect(read(request(`POST / HTTP/${version}`, HOST, LENGTH, ...lines))).toMatchObject({ keepAlive });
  });

  test('of HTTP/1.0 needs no Host', () => {
    expect(read(request('POST / HTTP/1.0', LENGTH))).toMatchObject({ bodyBytes: 5 });
  });

  test('is incomplete until its empty line has come', () => {
    const text = request(FIRST, HOST, LENGTH);
    for (let end = 0; end < text.length; end++) expect(read(text.slice(0, end))).toBe('incomplete');
  });
});

/** What another parser is to judge. */
test.each([
  ['another method', request('GET / HTTP/1.1', HOST, LENGTH)],
  ['another method that has begun', 'PU'],
  ['another path', request('POST /telemetryui HTTP/1.1', HOST, LENGTH)],
  ['a query', request('POST /?a HTTP/1.1', HOST, LENGTH)],
  ['a whole address', request('POST http://a.example/ HTTP/1.1', HOST, LENGTH)],
  ['another version', request('POST / HTTP/2.0', HOST, LENGTH)],
  ['two spaces', request('POST  / HTTP/1.1', HOST, LENGTH)],
  ['no length', request(FIRST, HOST)],
  ['two lengths', request(FIRST, HOST, LENGTH, LENGTH)],
  ['lengths in a list', request(FIRST, HOST, 'Content-Length: 5, 5')],
  ['a length with a sign', request(FIRST, HOST, 'Content-Length: +5')],
  ['a length in hexadecimal', request(FIRST, HOST, 'Content-Length: 0x5')],
  ['a length of many digits', request(FIRST, HOST, 'Content-Length: 00000000005')],
  ['an empty length', request(FIRST, HOST, 'Content-Length:')],
  ['chunks', request(FIRST, HOST, 'Transfer-Encoding: chunked')],
  ['chunks besides a length', request(FIRST, HOST, LENGTH, 'transfer-ENCODING:x')],
  ['an expectation', request(FIRST, HOST, LENGTH, 'Expect: 100-continue')],
  ['an upgrade', request(FIRST, HOST, LENGTH, 'Upgrade: h2c')],
  ['no Host', request(FIRST, LENGTH)],
  ['two Hosts', request(FIRST, HOST, HOST, LENGTH)],
  ['a Host that is none', request(FIRST, 'Host: a/b', LENGTH)],
  ['a header without a colon', request(FIRST, HOST, LENGTH, 'nothing')],
  ['a header without a name', request(FIRST, HOST, LENGTH, ': x')],
  ['a space before the colon', request(FIRST, HOST, 'Content-Length : 5')],
  ['a value on two lines', request(FIRST, HOST, LENGTH, 'a: b', ' c')],
  ['a line feed in a value', request(FIRST, HOST, LENGTH, 'a: b\nContent-Length: 7')],
  ['a carriage return in a name', request(FIRST, HOST, LENGTH, 'a\r: b')],
  ['lines that end in a line feed', 'POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\n\r\n\r\n'],
  ['a head of more than 32 KB', request(FIRST, HOST, LENGTH, `a: ${'x'.repeat(33_000)}`)],
  ['one that has no end yet', `${FIRST}\r\na: ${'x'.repeat(33_000)}`],
  ['a header that every object has', request(FIRST, HOST, LENGTH, 'constructor: x')],
  ['very many headers', request(FIRST, HOST, LENGTH, ...Array.from({ length: 300 }, (_, n) => `h${n}: x`))],
])('%s is unusual', (_, text) => {
  expect(read(text)).toBe('unusual');
});

test('any bytes are read without a throw, and never beyond the head', () => {
  const pieces = fc.constantFrom(
    'POST / HTTP/1.1',
    '\r\n',
    '\r',
    '\n',
    HOST,
    LENGTH,
    ':',
    ' ',
    '\0',
    'é',
    'Content-Length',
    '5',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 12 }), parts => {
      const text = parts.join('');
      const head = read(text);
      if (typeof head === 'object') expect(text.slice(0, head.headBytes)).toEndWith('\r\n\r\n');
    }),
  );
});
