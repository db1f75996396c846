import { readFileSync } from 'node:fs';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { TID } from '../app.ts';
import type { CertificateFiles } from '../tls/certificates.ts';
import { within } from './program.ts';

const ANSWER_TIMEOUT_MS = 60_000;

export interface WireAnswer {
  version: string;
  status: number;
  headers: Record<string, string>;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: JSON that the tests look into
  json: any;
}

/** One connection on which a test writes bytes and reads answers. */
export interface Wire {
  write(data: string | Uint8Array): void;
  /** The next answer; `100 Continue` counts as one. */
  answer(): Promise<WireAnswer>;
  /** Resolves when the server has closed, to whatever came since the last answer. */
  closed: Promise<string>;
  close(): void;
}

/** A port of this host, one that speaks TLS, or the path of a unix socket. */
export type Place = number | TlsPlace | string;
interface TlsPlace {
  https: number;
  /** What to show for a certificate. */
  client?: CertificateFiles;
}

export function connectTo(place: Place): Socket {
  if (typeof place === 'string') return connectPlain({ path: place });
  if (typeof place === 'number') return connectPlain({ host: '127.0.0.1', port: place, noDelay: true });
  const { https: port, client } = place;
  const shown = client && { cert: readFileSync(client.cert), key: readFileSync(client.key) };
  return connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...shown });
}

export async function openWire(place: Place): Promise<Wire> {
  const socket = connectTo(place);
  await new Promise<void>((resolve, reject) => {
    socket.once(typeof place === 'object' ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
  });
  let received = Buffer.alloc(0);
  let ended = false;
  let wake = () => {};
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    wake();
  });
  const closed = new Promise<string>(resolve => {
    socket.on('error', () => {});
    socket.once('close', () => {
      ended = true;
      wake();
      resolve(received.toString('latin1'));
    });
  });

  async function answer(): Promise<WireAnswer> {
    for (;;) {
      const found = parseAnswer(received, ended);
      if (found) {
        received = received.subarray(found.length);
        return found.answer;
      }
      if (ended) throw new Error(`the connection closed before an answer: ${JSON.stringify(received.toString())}`);
      await new Promise<void>(resolve => {
        wake = resolve;
      });
    }
  }

  return {
    write: data => socket.write(data),
    answer: () => within(ANSWER_TIMEOUT_MS, 'an answer comes', answer()),
    closed,
    close: () => socket.destroy(),
  };
}

function parseAnswer(bytes: Buffer, ended: boolean): { answer: WireAnswer; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const [version = '', code] = first.split(' ');
  const headers = Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const status = Number(code);
  const length =
    status === 100 ? 0 : Number(headers['content-length'] ?? (ended ? bytes.length - end - 4 : Number.NaN));
  if (Number.isNaN(length) || bytes.length < end + 4 + length) return undefined;
  const text = bytes.subarray(end + 4, end + 4 + length).toString();
  const json = headers['content-type']?.includes('json') ? JSON.parse(text) : undefined;
  return { answer: { version, status, headers, text, json }, length: end + 4 + length };
}

/** Sends one request on a connection of its own and reads the answer. */
export async function exchange(place: Place, request: string | Uint8Array): Promise<WireAnswer> {
  const wire = await openWire(place);
  try {
    wire.write(request);
    return await wire.answer();
  } finally {
    wire.close();
  }
}

export function get(path: string, host = 'localhost') {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: */*\r\n\r\n`;
}

export interface RequestOptions {
  path?: string;
  /** In place of the usual ones; undefined leaves a header out. */
  headers?: Record<string, string | undefined>;
  tid?: string;
  version?: '1.0' | '1.1';
}

/** The block of headers, as clients that write metadata into headers send it. */
export function headerBlock(length: number, { path = '/v2/collector', headers, tid, version }: RequestOptions = {}) {
  const lines = Object.entries({
    record_format_version: '4',
    classification: 'org.clearlinux/hello/world',
    severity: '1',
    machine_id: '0d9e41a5b1c7c0ffee22fd5c1b6b1f3a',
    creation_timestamp: '1795439910',
    arch: 'x86_64',
    host_type: 'no_sv_file|no_pn_file|no_pvr_file',
    build: '"12"',
    kernel_version: '6.18.44-1500.native',
    payload_format_version: '1',
    system_name: 'clear-linux-os',
    board_name: 'no_bn_file|no_bv_file',
    cpu_model: 'AMD EPYC',
    bios_version: 'no_bv_file',
    event_id: crypto.randomUUID().replaceAll('-', ''),
    ...headers,
  }).filter(([, value]) => value !== undefined);
  return [
    `POST ${path} HTTP/${version ?? '1.1'}`,
    'Host: 127.0.0.1:8080',
    'Accept: */*',
    ...lines.map(([name, value]) => `${name}: ${value}`),
    `X-Telemetry-TID: ${tid ?? TID}`,
    'Content-Type: application/text',
    `Content-Length: ${length}`,
    '\r\n',
  ].join('\r\n');
}

/** A whole request in the header format. */
export function headerRequest(payload: string, options?: RequestOptions) {
  return headerBlock(Buffer.byteLength(payload), options) + payload;
}

/** A whole request in the JSON format. */
export function jsonRequest(fields: Record<string, unknown>, { path = '/v3/collector' }: { path?: string } = {}) {
  const body = JSON.stringify(fields);
  const headers = [
    `POST ${path} HTTP/1.1`,
    'Host: 127.0.0.1:8080',
    'Accept: */*',
    `X-Telemetry-TID: ${TID}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '\r\n',
  ];
  return headers.join('\r\n') + body;
}
