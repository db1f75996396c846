import { type App, createApp } from '../src/app.ts';
import { type Collector, createCollector } from '../src/collector/collector.ts';
import { openLimits } from '../src/collector/limits.ts';
import type { Listener } from '../src/config/listener.ts';
import { loadConfig } from '../src/config/load.ts';
import type { Config } from '../src/config/settings.ts';
import type { Sql } from '../src/db/connect.ts';
import type { Database } from '../src/db/database.ts';
import { registerFleets } from '../src/fleets.ts';
import type { Parsers } from '../src/parsers/parsers.ts';
import { machineHash } from '../src/privacy/machine-ids.ts';
import { PATIENCE } from '../src/web/patience.ts';
import { quietLog, type TestDatabase, testDatabase } from './database.ts';

export const TID = '6907c830-eed9-4ce9-81ae-76daf8d88f0f';
export const OTHER_TID = '11111111-2222-4333-8444-555555555555';

export interface TestApp {
  app: App;
  database: TestDatabase;
  collector: Collector;
  config: Config;
  close(): Promise<void>;
}

/** The whole application on its own database, as a loopback listener serves it. `env` overrides settings. */
export async function testApp(env: Record<string, string> = {}): Promise<TestApp> {
  const database = await testDatabase();
  const config = testConfig(env);
  const { app, collector } = await appOn(database, config);
  return {
    app,
    database,
    collector,
    config,
    async close() {
      await collector.drain();
      await database.close();
    },
  };
}

export function testConfig(env: Record<string, string> = {}): Config {
  return loadConfig({
    env: { TELEMETRICSD_COLLECTOR_TIDS: `${TID}=default,${OTHER_TID}=servers`, ...env },
  }).config;
}

/** On a busy machine a request takes longer than a real client would wait. */
const ANSWERED_WITHIN_MS = 60_000;

export async function appOn(
  database: Database,
  config = testConfig(),
  serves: Listener['serves'] = 'all',
  assertRoom?: () => void,
  parsers?: Parsers,
) {
  const fleets = await registerFleets(database.sql, config.collector.tids);
  const limits = await openLimits(database.sql, config.collector.tids, fleets, quietLog);
  const collector = createCollector({
    config,
    database,
    fleets,
    limits,
    hashMachine: await machineHash(database.sql),
    log: quietLog,
    assertRoom,
    ...(parsers && { parserLane: parsers.laneOf }),
  });
  const listener: Listener = { address: '127.0.0.1:8080', host: '127.0.0.1', port: 8080, serves };
  const patience = { ...PATIENCE, answerWithinMs: ANSWERED_WITHIN_MS };
  const app = createApp(
    { config, database, collector, log: quietLog, patience, ...(parsers && { parsers }) },
    listener,
  );
  return { app: countingAtOnce(app, collector, database), collector };
}

const COUNTED_WITHIN_MS = 60_000;

/** Tests read the counter tables right after they posted something. */
function countingAtOnce(app: App, collector: Collector, { sql }: Database): App {
  const { request } = app;
  app.request = async (...args) => {
    const response = await request(...args);
    const [input, init] = args;
    if ((input instanceof Request ? input.method : init?.method) !== 'POST') return response;
    await allCounted(collector, sql);
    return response;
  };
  return app;
}

/** Resolves once nothing is uncounted. The collector gives up after a second, which is too short on a busy machine. */
export async function allCounted(collector: Collector, sql: Sql): Promise<void> {
  const deadline = Date.now() + COUNTED_WITHIN_MS;
  await collector.counted();
  while ((await anyUncounted(sql)) && Date.now() < deadline) {
    await Bun.sleep(20);
    await collector.counted();
  }
}

/** False if the database does not answer, as in some tests. */
function anyUncounted(sql: Sql): Promise<boolean> {
  return sql`select from uncounted limit 1`.then(
    rows => rows.count > 0,
    () => false,
  );
}

/** The headers of a valid record of format 4; undefined takes one away. */
export function recordHeaders(changes: Record<string, string | undefined> = {}): Record<string, string> {
  const headers: Record<string, string | undefined> = {
    'X-Telemetry-TID': TID,
    record_format_version: '4',
    classification: 'org.clearlinux/hello/world',
    severity: '1',
    machine_id: '0123456789abcdef0123456789abcdef',
    creation_timestamp: '1795440066',
    arch: 'x86_64',
    host_type: 'vendor|product|1.0',
    build: '43010',
    kernel_version: '6.18.4-1',
    payload_format_version: '1',
    system_name: 'clear-linux-os',
    board_name: 'board|vendor',
    cpu_model: 'cpu model',
    bios_version: '1.2',
    event_id: '0123456789abcdef0123456789abcdef',
    ...changes,
  };
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** The same record as the JSON object that newer clients send. */
export function recordJson(changes: Record<string, unknown> = {}, payload = 'hello\n'): Record<string, unknown> {
  const { 'X-Telemetry-TID': _, ...fields } = recordHeaders();
  return { ...fields, payload, ...changes };
}

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: JSON that the tests look into
  json: any;
}

/** Posts a record in the header format. */
export function post(
  app: App,
  changes: Record<string, string | undefined> = {},
  payload: string | Uint8Array<ArrayBuffer> = 'hello\n',
): Promise<Answer> {
  return send(app, { method: 'POST', headers: recordHeaders(changes), body: payload });
}

export function postJson(app: App, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return send(app, {
    method: 'POST',
    headers: { 'X-Telemetry-TID': TID, 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  });
}

/** Posts to the collector, from an address if one is given. */
export async function send(app: App, init: RequestInit, address?: string, path = '/v3/collector'): Promise<Answer> {
  const response = await app.request(`http://localhost:8080${path}`, { method: 'POST', ...init }, { address });
  const text = await response.text();
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
}

/** A text as a header carries it: its UTF-8 bytes, one character each. */
export function headerBytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Sends a form of one of our pages as a browser does. */
export function submit(app: App, path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
  return app.request(`http://localhost:8080${path}`, {
    method: 'POST',
    headers: { Host: 'localhost:8080', 'Sec-Fetch-Site': 'same-origin', ...headers },
    body: new URLSearchParams(fields),
  });
}

export async function getPage(app: App, path: string): Promise<{ status: number; html: string }> {
  const response = await get(app, path);
  return { status: response.status, html: await response.text() };
}

/** GET of a page or of the API, as a browser on this host sends it. */
export function get(app: App, path: string, headers: Record<string, string> = {}) {
  return app.request(`http://localhost:8080${path}`, { headers: { Host: 'localhost:8080', ...headers } });
}

// biome-ignore lint/suspicious/noExplicitAny: JSON that the tests look into
export async function getJson(app: App, path: string): Promise<{ status: number; json: any }> {
  const response = await get(app, path);
  return { status: response.status, json: await response.json() };
}
