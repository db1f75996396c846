import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import { printConfig } from '../../src/config/print.ts';
import { ConfigError, type Problem } from '../../src/config/problem.ts';
import { declaredSettings } from '../../src/config/settings.ts';
import { nearest } from '../../src/nearest.ts';

const DEFAULT_TID = '6907c830-eed9-4ce9-81ae-76daf8d88f0f';
const OTHER_TID = '11111111-2222-3333-4444-555555555555';

let directory: string;
let empty: string;
let files = 0;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'telemetricsd-config-'));
  empty = write('');
});

afterAll(() => rmSync(directory, { recursive: true }));

function write(content: string | Uint8Array): string {
  const file = join(directory, `${++files}.toml`);
  writeFileSync(file, content);
  return file;
}

/** Never reads the file in /etc or the variables of the machine that runs the tests. */
function load({ toml, env = {} }: { toml?: string; env?: Record<string, string> }) {
  return loadConfig({ file: toml === undefined ? empty : write(toml), env });
}

function mistakes(options: Parameters<typeof loadConfig>[0]): ConfigError {
  try {
    loadConfig({ env: {}, ...options });
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('no mistake was found');
}

function problems(toml: string, env: Record<string, string> = {}): Problem[] {
  return mistakes({ file: write(toml), env }).problems;
}

test('without file and environment every setting has its default', () => {
  expect(load({}).config).toEqual({
    http: {
      listen: [{ address: '127.0.0.1:8080', serves: 'all', host: '127.0.0.1', port: 8080 }],
      public_url: undefined,
    },
    tls: { cert: undefined, key: undefined, client_ca: undefined, client_cert_fleets: [] },
    access: {
      mode: undefined,
      allow_open: false,
      session_idle: 12,
      session_days: 7,
      trusted_header: undefined,
      forwarded_header: undefined,
      trusted_proxies: [],
    },
    oidc: { issuer: undefined, client_id: undefined, client_secret: undefined, groups_claim: 'groups', roles: {} },
    state: { dir: '/var/lib/telemetricsd' },
    database: { url: undefined, connections: 8 },
    collector: {
      tids: [{ id: DEFAULT_TID, name: 'default' }],
      max_payload: 300 * 1024,
      refuse: 'quarantine',
      queue: 20_000,
    },
    quarantine: { max_records: 10_000, max_bytes: 64 * 1024 * 1024 },
    privacy: { scrub: [] },
    retention: {
      days: 35,
      severity: {},
      classification: {},
      machine_id: {},
      counters: 400,
      max_bytes: undefined,
      schedule: '30 4 * * *',
    },
    disk: { reserve: undefined },
    plugins: { enabled: [], database_url: undefined },
    parsers: { enabled: [] },
    crashes: { classifications: expect.arrayContaining(['org.clearlinux/crash/clr', '*/kernel/panic']) },
    heartbeat: { classifications: ['*/heartbeat/ping'] },
    machine_checks: {
      classifications: ['*/mce/corrected', '*/mce/uncorrected', '*/mce/SRAO', '*/mce/SRAR', '*/mce/UCNA'],
    },
    thermal: { classifications: ['*/mce/thermal'] },
    updates: { classifications: ['*/swupd-client/update', 'telemetricsd/update/os'] },
    backup: { dir: undefined, schedule: '30 3 * * *', keep: 7 },
    notify: { webhook: undefined, command: undefined, repeat_hours: 24, hourly: 10, guilty_machines: 10 },
    log: { level: 'info', format: 'text', access: 'off' },
  });
});

describe('a valid value', () => {
  const all = { serves: 'all' } as const;
  const cases: [toml: string, variable: string, text: string, key: string, expected: unknown][] = [
    [
      'http.listen = "localhost:80"',
      'HTTP_LISTEN',
      'localhost:80',
      'http.listen',
      [{ address: 'localhost:80', ...all, host: 'localhost', port: 80 }],
    ],
    [
      'http.listen = [":8080", { address = "[::1]:9", serves = "pages" }]',
      'HTTP_LISTEN',
      ':8080, [::1]:9=pages',
      'http.listen',
      [
        { address: ':8080', ...all, host: '::', port: 8080 },
        { address: '[::1]:9', serves: 'pages', host: '::1', port: 9 },
      ],
    ],
    [
      'http.listen = [{ address = "unix:/run/a.sock", serves = "collector" }]',
      'HTTP_LISTEN',
      'unix:/run/a.sock=collector',
      'http.listen',
      [{ address: 'unix:/run/a.sock', serves: 'collector', unix: '/run/a.sock' }],
    ],
    [
      'http.listen = ["127.0.0.1:0", "127.0.0.1:0"]',
      'HTTP_LISTEN',
      '127.0.0.1:0,127.0.0.1:0',
      'http.listen',
      [
        { address: '127.0.0.1:0', ...all, host: '127.0.0.1', port: 0 },
        { address: '127.0.0.1:0', ...all, host: '127.0.0.1', port: 0 },
      ],
    ],
    [
      'http.public_url = "https://T.example.org:443/"',
      'HTTP_PUBLIC_URL',
      'https://t.example.org',
      'http.public_url',
      'https://t.example.org',
    ],
    ['state.dir = "data/here"', 'STATE_DIR', './data/here', 'state.dir', resolve('data/here')],
    ['database.url = "postgres://h/db"', 'DATABASE_URL', 'postgres://h/db', 'database.url', 'postgres://h/db'],
    [
      'database.url = "postgresql://u:p@h:1,h2:2/db"',
      'DATABASE_URL',
      'postgresql://u:p@h:1,h2:2/db',
      'database.url',
      'postgresql://u:p@h:1,h2:2/db',
    ],
    ['database.connections = 100', 'DATABASE_CONNECTIONS', '100', 'database.connections', 100],
    [
      `collector.tids = [{ id = "${OTHER_TID}" }, { id = "${DEFAULT_TID.toUpperCase()}", name = "Büro 2" }]`,
      'COLLECTOR_TIDS',
      `${OTHER_TID},${DEFAULT_TID}=Büro 2`,
      'collector.tids',
      [
        { id: OTHER_TID, name: '11111111' },
        { id: DEFAULT_TID, name: 'Büro 2' },
      ],
    ],
    [
      `collector.tids = [{ id = "${OTHER_TID}", name = "a" }, { id = "${DEFAULT_TID}", name = "a" }]`,
      'COLLECTOR_TIDS',
      `${OTHER_TID}=a, ${DEFAULT_TID}=a`,
      'collector.tids',
      [
        { id: OTHER_TID, name: 'a' },
        { id: DEFAULT_TID, name: 'a' },
      ],
    ],
    ['collector.max_payload = 1024', 'COLLECTOR_MAX_PAYLOAD', '1kb', 'collector.max_payload', 1024],
    ['collector.max_payload = "16 MB"', 'COLLECTOR_MAX_PAYLOAD', '16777216', 'collector.max_payload', 16 * 1024 * 1024],
    ['collector.refuse = "strict"', 'COLLECTOR_REFUSE', 'strict', 'collector.refuse', 'strict'],
    ['collector.queue = 1_000_000', 'COLLECTOR_QUEUE', '1000000', 'collector.queue', 1_000_000],
    ['quarantine.max_bytes = "10 GB"', 'QUARANTINE_MAX_BYTES', '10GB', 'quarantine.max_bytes', 10 * 1024 ** 3],
    [
      'crashes.classifications = ["a b/*/c", "*/*/*"]',
      'CRASHES_CLASSIFICATIONS',
      'a b/*/c, */*/*',
      'crashes.classifications',
      ['a b/*/c', '*/*/*'],
    ],
    ['retention.days = 0', 'RETENTION_DAYS', '0', 'retention.days', 0],
    ['[retention.severity]\n1 = 5\n4 = 0', 'RETENTION_SEVERITY', '1=5, 4=0', 'retention.severity', { 1: 5, 4: 0 }],
    [
      '[retention.classification]\n"org.clearlinux/mce/*" = 0\n"a b/c/d=e" = 1',
      'RETENTION_CLASSIFICATION',
      'org.clearlinux/mce/*=0,a b/c/d=e=1',
      'retention.classification',
      { 'org.clearlinux/mce/*': 0, 'a b/c/d=e': 1 },
    ],
    ['retention.machine_id = { ab = 365 }', 'RETENTION_MACHINE_ID', 'ab=365', 'retention.machine_id', { ab: 365 }],
    ['retention.max_bytes = "200 GB"', 'RETENTION_MAX_BYTES', '200GB', 'retention.max_bytes', 200 * 1024 ** 3],
    ['retention.max_bytes = "60 %"', 'RETENTION_MAX_BYTES', '60%', 'retention.max_bytes', { percent: 60 }],
    ['retention.schedule = "0 3 * * 0"', 'RETENTION_SCHEDULE', '0 3 * * 0', 'retention.schedule', '0 3 * * 0'],
    ['disk.reserve = "2 GB"', 'DISK_RESERVE', '2GB', 'disk.reserve', 2 * 1024 ** 3],
    ['disk.reserve = "5 %"', 'DISK_RESERVE', '5%', 'disk.reserve', { percent: 5 }],
    ['disk.reserve = " 2.5% "', 'DISK_RESERVE', '2.5 %', 'disk.reserve', { percent: 2.5 }],
    ['crashes.classifications = []', '', '', 'crashes.classifications', []],
    ['log.level = "debug"', 'LOG_LEVEL', 'debug', 'log.level', 'debug'],
    ['log.format = "json"', 'LOG_FORMAT', 'json', 'log.format', 'json'],
    ['log.access = "all"', 'LOG_ACCESS', 'all', 'log.access', 'all'],
  ];
  for (const [toml, variable, text, key, expected] of cases) {
    test(toml, () => expect(read(load({ toml }), key)).toEqual(expected));
    if (!variable) continue;
    test(`TELEMETRICSD_${variable}=${text}`, () => {
      expect(read(load({ env: { [`TELEMETRICSD_${variable}`]: text } }), key)).toEqual(expected);
    });
  }
});

function read({ config }: ReturnType<typeof loadConfig>, key: string): unknown {
  const [section, name] = key.split('.');
  return (config as Record<string, Record<string, unknown>>)[section!]![name!];
}

describe('an invalid value', () => {
  const cases: [toml: string, key: string, value: string, allowed: RegExp][] = [
    ['http.listen = []', 'http.listen', '[]', /a list of addresses/],
    ['http.listen = 8080', 'http.listen', '8080', /a list of addresses/],
    ['http.listen = { address = ":1" }', 'http.listen', '{"address":":1"}', /a list of addresses/],
    ['http.listen = [8080]', 'http.listen[0]', '8080', /keys address and serves/],
    ['http.listen = ["8080"]', 'http.listen[0].address', '"8080"', /HOST:PORT/],
    ['http.listen = "localhost"', 'http.listen[0].address', '"localhost"', /HOST:PORT/],
    ['http.listen = ["::1:80"]', 'http.listen[0].address', '"::1:80"', /\[IPV6\]:PORT/],
    ['http.listen = ["http://h:80"]', 'http.listen[0].address', '"http://h:80"', /without "http:\/\/"/],
    ['http.listen = [":65536"]', 'http.listen[0].address', '":65536"', /port from 1 to 65535/],
    ['http.listen = ["[1.2.3.4]:80"]', 'http.listen[0].address', '"[1.2.3.4]:80"', /IPv6/],
    ['http.listen = ["300.1.1.1:80"]', 'http.listen[0].address', '"300.1.1.1:80"', /IPv4/],
    ['http.listen = ["a b:80"]', 'http.listen[0].address', '"a b:80"', /host name/],
    ['http.listen = ["unix:a.sock"]', 'http.listen[0].address', '"unix:a.sock"', /absolute path/],
    [`http.listen = ["unix:/${'a'.repeat(107)}"]`, 'http.listen[0].address', `"unix:/${'a'.repeat(107)}"`, /107 bytes/],
    ['http.listen = [{ address = ":1", serves = "page" }]', 'http.listen[0].serves', '"page"', /"pages"/],
    ['http.listen = ["h:1=page"]', 'http.listen[0].serves', '"page"', /"pages"/],
    ['http.listen = [{ serves = "all" }]', 'http.listen[0].address', 'nothing', /an address/],
    [
      'http.listen = [{ address = ":1", serve = "all" }]',
      'http.listen[0]',
      '{"address":":1","serve":"all"}',
      /"serve" looks like "serves"/,
    ],
    ['http.listen = ["H:1", "h:1=pages"]', 'http.listen[1]', '"h:1"', /every address once/],
    ['http.listen = ["unix:/a", "unix:/a"]', 'http.listen[1]', '"unix:/a"', /every address once/],
    [
      'http.public_url = "telemetry.example.org"',
      'http.public_url',
      '"telemetry.example.org"',
      /http:\/\/ or https:\/\//,
    ],
    ['http.public_url = "https://h/path"', 'http.public_url', '"https://h/path"', /without user, path/],
    ['http.public_url = "https://h/?a"', 'http.public_url', '"https://h/?a"', /without user, path/],
    ['state.dir = ""', 'state.dir', '""', /a directory/],
    ['state.dir = 3', 'state.dir', '3', /a directory/],
    ['database.connections = 1', 'database.connections', '1', /2 to 100/],
    ['database.connections = 101', 'database.connections', '101', /2 to 100/],
    ['database.connections = 2.5', 'database.connections', '2.5', /an integer/],
    ['database.connections = "many"', 'database.connections', '"many"', /an integer/],
    ['database.connections = true', 'database.connections', 'true', /an integer/],
    ['database.connections = inf', 'database.connections', 'Infinity', /an integer/],
    ['database.connections = 1979-05-27', 'database.connections', '"1979-05-27"', /an integer/],
    ['collector.tids = []', 'collector.tids', '[]', /at least one/],
    ['collector.tids = [{ id = "x" }]', 'collector.tids[0].id', '"x"', /a UUID/],
    ['collector.tids = [{ name = "x" }]', 'collector.tids[0].id', 'nothing', /a UUID/],
    [`collector.tids = [{ id = "${OTHER_TID}", name = "" }]`, 'collector.tids[0].name', '""', /1 to 40/],
    [`collector.tids = [{ id = "${OTHER_TID}", name = "a\\nb" }]`, 'collector.tids[0].name', '"a\\nb"', /printable/],
    [
      `collector.tids = [{ id = "${OTHER_TID}", name = "${'x'.repeat(41)}" }]`,
      'collector.tids[0].name',
      `"${'x'.repeat(41)}"`,
      /1 to 40/,
    ],
    [`collector.tids = "${OTHER_TID},${OTHER_TID}=b"`, 'collector.tids[1]', `"${OTHER_TID}"`, /every id once/],
    [
      `collector.tids = [{ id = "${OTHER_TID}", rate = 0 }]`,
      'collector.tids[0].rate',
      '0',
      /1 to 1000000: records a second/,
    ],
    [`collector.tids = [{ id = "${OTHER_TID}", daily = "1 M" }]`, 'collector.tids[0].daily', '"1 M"', /in 24 hours/],
    [
      `collector.tids = [{ id = "${OTHER_TID}", over = "drop" }]`,
      'collector.tids[0]',
      `{"id":"${OTHER_TID}","over":"drop"}`,
      /daily beside over/,
    ],
    [
      `collector.tids = [{ id = "${OTHER_TID}", rate = 1, over = "no" }]`,
      'collector.tids[0].over',
      '"no"',
      /"retry" or "drop"/,
    ],
    [`collector.tids = [{ id = "${OTHER_TID}", networks = [] }]`, 'collector.tids[0].networks', '[]', /at least one/],
    ...['10.0.0.0/33', '10.0.0/8', '10.0.0.0/08', '2001:db8::/129', 'fe80::1%eth0', 'h.example.org', '1.2.3.4/8/8'].map(
      (network): [string, string, string, RegExp] => [
        `collector.tids = [{ id = "${OTHER_TID}", networks = ["10.0.0.0/8", "${network}"] }]`,
        'collector.tids[0].networks[1]',
        `"${network}"`,
        /"10.0.0.0\/8"/,
      ],
    ),
    [
      `collector.tids = [{ id = "${OTHER_TID}", dayly = 5 }]`,
      'collector.tids[0]',
      `{"id":"${OTHER_TID}","dayly":5}`,
      /"dayly" looks like "daily"/,
    ],
    ['collector.max_payload = "1023"', 'collector.max_payload', '"1023"', /1 KB to 16 MB/],
    ['collector.max_payload = "17 MB"', 'collector.max_payload', '"17 MB"', /1 KB = 1024 bytes/],
    ['collector.max_payload = "300 KiB"', 'collector.max_payload', '"300 KiB"', /KB, MB or GB/],
    ['collector.max_payload = -1', 'collector.max_payload', '-1', /1 KB to 16 MB/],
    ['retention.days = -1', 'retention.days', '-1', /0 \(for ever\)/],
    ['retention.severity = { 5 = 1 }', 'retention.severity.5', '"5"', /1 to 4/],
    ['retention.severity = { 4 = "x" }', 'retention.severity.4', '"x"', /a number of days/],
    ['retention.classification = "a/b/c"', 'retention.classification.a/b/c', '""', /a number of days/],
    ['retention.classification = { "a/b" = 1 }', 'retention.classification.a/b', '"a/b"', /three parts/],
    ['retention.machine_id = 3', 'retention.machine_id', '3', /a table of days/],
    ['retention.schedule = "daily"', 'retention.schedule', '"daily"', /five fields/],
    ['collector.refuse = "no"', 'collector.refuse', '"no"', /"quarantine" or "strict"/],
    ['collector.queue = 99', 'collector.queue', '99', /100 to 1000000/],
    ['quarantine.max_records = 9', 'quarantine.max_records', '9', /10 to 1000000/],
    ['quarantine.max_bytes = "11 GB"', 'quarantine.max_bytes', '"11 GB"', /1 MB to 10 GB/],
    ['quarantine.max_bytes = "5 %"', 'quarantine.max_bytes', '"5 %"', /1 MB to 10 GB/],
    ['disk.reserve = "101 %"', 'disk.reserve', '"101 %"', /or a part of the file system such as "5 %"/],
    ['disk.reserve = "-5 %"', 'disk.reserve', '"-5 %"', /0 to 1024 GB/],
    ['disk.reserve = "five %"', 'disk.reserve', '"five %"', /0 to 1024 GB/],
    ['crashes.classifications = ["a/b"]', 'crashes.classifications[0]', '"a/b"', /three parts/],
    ['crashes.classifications = ["a/b*/c"]', 'crashes.classifications[0]', '"a/b*/c"', /three parts/],
    ['crashes.classifications = ["a//c"]', 'crashes.classifications[0]', '"a//c"', /three parts/],
    ['crashes.classifications = [1]', 'crashes.classifications[0]', '1', /three parts/],
    ['log.level = "verbose"', 'log.level', '"verbose"', /"error", "warn", "info" or "debug"/],
    ['log.format = "xml"', 'log.format', '"xml"', /"text" or "json"/],
    ['log.access = true', 'log.access', 'true', /"off", "pages" or "all"/],
  ];
  for (const [toml, key, value, allowed] of cases) {
    test(toml, () => {
      const file = write(toml);
      const error = mistakes({ file });
      expect(error.problems).toEqual([{ key, from: file, value, allowed: expect.stringMatching(allowed) }]);
      expect(error.message).toContain(`${key}: got ${value}, expected`);
      expect(error.message).toContain(file);
    });
  }

  test('in the environment is reported under the name of its variable', () => {
    expect(problems('', { TELEMETRICSD_COLLECTOR_QUEUE: 'many' })).toEqual([
      { key: 'collector.queue', from: 'TELEMETRICSD_COLLECTOR_QUEUE', value: '"many"', allowed: expect.any(String) },
    ]);
  });
});

describe('TLS', () => {
  const TLS = 'tls = { cert = "a.pem", key = "a.key" }';

  test('needs addresses that begin with https://, and they need it', () => {
    const { config } = load({ toml: `http.listen = ["https://:8443", "https://[::1]:9", ":80"]\n${TLS}` });
    expect(config.http.listen).toEqual([
      { address: 'https://:8443', serves: 'all', host: '::', port: 8443, https: true },
      { address: 'https://[::1]:9', serves: 'all', host: '::1', port: 9, https: true },
      { address: ':80', serves: 'all', host: '::', port: 80 },
    ]);
    expect(config.tls).toMatchObject({ cert: resolve('a.pem'), key: resolve('a.key') });
  });

  test('can be set in the environment', () => {
    const { config } = load({
      env: {
        TELEMETRICSD_HTTP_LISTEN: 'https://:443=pages, :80=redirect, :81=collector',
        TELEMETRICSD_TLS_CERT: '/c',
        TELEMETRICSD_TLS_KEY: '/k',
        TELEMETRICSD_TLS_CLIENT_CA: '/ca',
        TELEMETRICSD_TLS_CLIENT_CERT_FLEETS: 'servers, desk tops',
        TELEMETRICSD_COLLECTOR_TIDS: `${OTHER_TID}=servers,${DEFAULT_TID}=desk tops`,
      },
    });
    expect(config.http.listen.map(({ serves }) => serves)).toEqual(['pages', 'redirect', 'collector']);
    expect(config.tls).toEqual({
      cert: '/c',
      key: '/k',
      client_ca: '/ca',
      client_cert_fleets: ['servers', 'desk tops'],
    });
  });

  const https = 'http.listen = "https://:8443"';
  const contradictions: [toml: string, keys: string[], message: RegExp][] = [
    [https, ['tls.cert', 'tls.key'], /tls\.cert: it is not set, expected .* since http\.listen has https:\/\/:8443/],
    [`${https}\ntls.cert = "c"`, ['tls.key'], /tls\.key: it is not set/],
    [TLS, ['http.listen'], /no address begins with https:\/\/, expected one that does, since tls\.cert is set/],
    ['http.listen = ":80=redirect"', ['http.listen'], /nothing to redirect to, expected an https:\/\/ address/],
    [`http.listen = "https://:1=collector,:2=redirect"\n${TLS}`, ['http.listen'], /nothing to redirect to/],
    [
      `${https}\ntls = { cert = "c", key = "k", client_ca = "a" }`,
      ['tls.client_cert_fleets'],
      /must show a certificate/,
    ],
    [
      `${https}\ntls = { cert = "c", key = "k", client_cert_fleets = ["default", "x"] }`,
      ['tls.client_ca', 'tls.client_cert_fleets[1]'],
      /got "x", expected a name from collector\.tids: default/,
    ],
    [
      'http.listen = ":80"\naccess.mode = "open"',
      ['access.mode'],
      /it is "open", but :80 shows pages to whoever can reach it, expected .* access\.allow_open = true/,
    ],
    [
      'retention.max_bytes = "60 %"\ndatabase.url = "postgres://h/db"',
      ['retention.max_bytes'],
      /a part of the file system of state\.dir, .* expected a size such as "200 GB"/,
    ],
    [
      'access.trusted_header = "X-User"',
      ['access.trusted_proxies'],
      /addresses that access\.trusted_header is believed from/,
    ],
    ['oidc.issuer = "https://login.example.org"', ['oidc.client_id', 'oidc.roles'], /lets nobody in/],
    ['oidc.client_id = "telemetricsd"', ['oidc.issuer'], /the provider that oidc\.client_id is registered at/],
  ];
  for (const [toml, keys, message] of contradictions) {
    test(`contradicts itself: ${toml.replaceAll('\n', ' ')}`, () => {
      const error = mistakes({ file: write(toml) });
      expect(error.problems.map(problem => problem.key)).toEqual(keys);
      expect(error.message).toMatch(message);
    });
  }
});

describe('an unknown name', () => {
  const cases: [toml: string, env: Record<string, string>, key: string, nearest: string][] = [
    ['[colector]\nqueue = 5', {}, 'colector', '[collector]'],
    ['[http]\nlitsen = ":1"', {}, 'http.litsen', 'http.listen'],
    ['[collector]\npayload = 1', {}, 'collector.payload', 'collector.max_payload'],
    ['[log]\nmax_payload = 1', {}, 'log.max_payload', 'collector.max_payload'],
    ['listen = ":1"', {}, 'listen', 'http.listen'],
    ['[zzzzzz]\na = 1', {}, 'zzzzzz', 'one of http, tls, access, oidc'],
    ['[log]\nzzzzzz = 1', {}, 'log.zzzzzz', 'one of level, format'],
    ['log = "debug"', {}, 'log', '[log]'],
    ['[[log]]\nlevel = "debug"', {}, 'log', '[log]'],
    ['[__proto__]\na = 1', {}, '__proto__', 'one of http'],
    ['[http]\nconstructor = 1', {}, 'http.constructor', 'one of listen, public_url'],
    ['', { TELEMETRICSD_HTTP_LISEN: ':1' }, 'TELEMETRICSD_HTTP_LISEN', 'TELEMETRICSD_HTTP_LISTEN'],
    ['', { TELEMETRICSD_MAX_PAYLOAD: '1' }, 'TELEMETRICSD_MAX_PAYLOAD', 'TELEMETRICSD_COLLECTOR_MAX_PAYLOAD'],
    ['', { TELEMETRICSD_ZZZZZZ: '' }, 'TELEMETRICSD_ZZZZZZ', 'TELEMETRICSD_SECTION_KEY'],
  ];
  for (const [toml, env, key, meant] of cases) {
    test(`${toml.replaceAll('\n', ' ') || Object.keys(env)[0]} names ${meant}`, () => {
      const [problem, ...others] = problems(toml, env);
      expect(others).toEqual([]);
      expect(problem).toMatchObject({ key, value: undefined });
      expect(problem?.allowed).toContain(meant);
    });
  }

  test('in the environment is reported only with the prefix', () => {
    expect(load({ env: { HTTP_LISTEN: 'x', telemetricsd_http_listen: 'x' } }).origin('http.listen')).toBe('default');
  });
});

test('all mistakes are reported at once', () => {
  const toml = `
    colector.queue = 1
    [http]
    listen = ["127.0.0.1:80", { address = "x", serves = "y" }, "127.0.0.1:80"]
    [database]
    connections = 0
    conections = 5`;
  const error = mistakes({
    file: write(toml),
    env: { TELEMETRICSD_LOG_LEVEL: 'loud', TELEMETRICSD_LOG_LEVLE: 'info' },
  });
  expect(error.problems.map(problem => problem.key).sort()).toEqual([
    'TELEMETRICSD_LOG_LEVLE',
    'colector',
    'database.conections',
    'database.connections',
    'http.listen[1].address',
    'http.listen[1].serves',
    'http.listen[2]',
    'log.level',
  ]);
  for (const { key } of error.problems) expect(error.message).toContain(key);
  expect(error.message).toStartWith('8 mistakes');
});

test('the environment overrides the file, which overrides the default', () => {
  const file = write('[collector]\nqueue = 500\nrefuse = "strict"');
  const { config, origin } = loadConfig({ file, env: { TELEMETRICSD_COLLECTOR_QUEUE: '600' } });
  expect(config.collector).toMatchObject({ queue: 600, refuse: 'strict', max_payload: 307_200 });
  expect(origin('collector.queue')).toBe('TELEMETRICSD_COLLECTOR_QUEUE');
  expect(origin('collector.refuse')).toBe(file);
  expect(origin('collector.max_payload')).toBe('default');
});

test('an empty variable counts as not set', () => {
  const { config, origin } = load({ toml: 'log.level = "warn"', env: { TELEMETRICSD_LOG_LEVEL: '' } });
  expect(config.log.level).toBe('warn');
  expect(origin('log.level')).toEndWith('.toml');
});

describe('a file', () => {
  test('named by --config must exist', () => {
    const [problem] = mistakes({ file: join(directory, 'missing.toml') }).problems;
    expect(problem).toMatchObject({ key: join(directory, 'missing.toml'), reason: 'there is no such file' });
  });

  test('must be a file', () => {
    expect(mistakes({ file: directory }).problems[0]).toMatchObject({ reason: 'this is a directory' });
  });

  test('must be UTF-8', () => {
    const file = write(Uint8Array.of(0x23, 0xff, 0xfe));
    expect(mistakes({ file }).problems[0]).toMatchObject({ reason: 'the file is not UTF-8' });
  });

  test('may begin with a byte order mark', () => {
    expect(load({ toml: '\ufefflog.level = "warn"' }).config.log.level).toBe('warn');
  });

  const errors: [toml: string, line: number][] = [
    ['a = = 1', 1],
    ['# comment\n[http]\n\nlisten = ":1\n[log]\n', 4],
    ['[log]\nlevel = "info"\nlevel = "info"', 3],
    ['[http]\nlisten = [\n  ":1",\n  :2,\n]\n', 2],
  ];
  for (const [toml, line] of errors) {
    test(`with a mistake in its syntax: ${JSON.stringify(toml)}`, () => {
      const found = problems(toml, { TELEMETRICSD_LOG_LEVEL: 'loud' });
      expect(found.map(problem => problem.key)).toEqual(['syntax', 'log.level']);
      expect(found[0]?.from).toEndWith(`, line ${line}`);
    });
  }
});

describe('a secret', () => {
  const SECRET = 'geheim';
  const wrong: [toml: string, env?: Record<string, string>][] = [
    [`database.url = "mysql://u:${SECRET}@h/db"`],
    [`database.url = "postgres://u:${SECRET}"`],
    [`database.url = ["${SECRET}"]`],
    [`database.ulr = "postgres://u:${SECRET}@h/db"`],
    [`database.password = "${SECRET}"`],
    [`database.url = ${SECRET}`],
    [`database.url = "${SECRET}`],
    [`state.dir = ["postgres://u:${SECRET}@h/db"]`],
    [`http.public_url = "https://u:${SECRET}@h"`],
    ['', { TELEMETRICSD_DATABASE_URL: `postgre://u:${SECRET}@h` }],
    ['', { TELEMETRICSD_TLS_KEY: `-----BEGIN EC PRIVATE KEY-----\n${SECRET}\n-----END EC PRIVATE KEY-----\n` }],
    ['', { TELEMETRICSD_DATABASE_PASSWORD: SECRET }],
    [`notify.webhook = "https://u:${SECRET}@h/x"`],
    [`notify.webhook = "ftp://h/${SECRET}"`],
    [`notify.webhok = "https://h/${SECRET}"`],
    [`notify.command = ["curl", "--header", "${SECRET}"]`],
    [`notify.command = ["/usr/bin/curl", "${SECRET}", 7]`],
  ];
  for (const [toml, env] of wrong) {
    test(`never appears in an error: ${toml || Object.keys(env!)[0]}`, () => {
      const error = mistakes({ file: write(toml), env: env ?? {} });
      expect(`${error.message} ${JSON.stringify(error.problems)} ${error.stack}`).not.toContain(SECRET);
    });
  }

  const urls: [url: string, shown: string][] = [
    [`postgres://u:${SECRET}@h:5432/db?sslmode=require`, 'postgres://u:***@h:5432/db?sslmode=require'],
    [`postgres://u:a@${SECRET}@h/db`, 'postgres://u:***@h/db'],
    [`postgres://u:${SECRET}@h:1,h2:2/db`, 'postgres://u:***@h:1,h2:2/db'],
    [
      `postgres://h/db?user=u&password=${SECRET}&sslmode=require`,
      'postgres://h/db?user=u&password=***&sslmode=require',
    ],
    ['postgres://u@h/db', 'postgres://u@h/db'],
  ];
  for (const [url, shown] of urls) {
    test(`is masked when printed: ${shown}`, () => {
      const loaded = load({ env: { TELEMETRICSD_DATABASE_URL: url } });
      expect(loaded.config.database.url).toBe(url);
      const printed = printConfig(loaded);
      expect(printed).toContain(`url = "${shown}"`);
      expect(printed).not.toContain(SECRET);
    });
  }
});

test('in a web address is masked after the host', () => {
  const printed = printConfig(load({ env: { TELEMETRICSD_NOTIFY_WEBHOOK: 'https://h:8443/hooks/geheim?t=geheim' } }));
  expect(printed).toContain('webhook = "https://h:8443/***"');
  expect(printed).not.toContain('geheim');
});

test('in a program call is masked after the path', () => {
  const command = '/usr/bin/curl,-H,Authorization: Bearer geheim,https://h/';
  const printed = printConfig(load({ env: { TELEMETRICSD_NOTIFY_COMMAND: command } }));
  expect(printed).toContain('command = ["/usr/bin/curl", "***", "***", "***"]');
  expect(printed).not.toContain('geheim');
});

describe('the printed configuration', () => {
  const full = `
    http.listen = [":8080", "https://:8443", { address = "[::1]:81", serves = "collector" }, { address = "unix:/run/a=b", serves = "all" }]
    http.public_url = "https://telemetry.example.org:8443"
    tls = { cert = "/c.pem", key = "/k.pem", client_ca = "/ca.pem", client_cert_fleets = ["a, b = c"] }
    state.dir = "/srv/with \\"quotes\\" and \\\\ \\u007f"
    database.url = "postgres://u@h/db"
    database.connections = 2
    quarantine = { max_records = 10, max_bytes = 1048577 }
    crashes.classifications = ["a/*/ü"]
    log = { level = "debug", format = "json" }
    [collector]
    tids = [
      { id = "${OTHER_TID}", name = "a, b = c", rate = 200, daily = 1000000, over = "drop", networks = ["10.0.0.0/8", "2001:db8::1"] },
      { id = "${DEFAULT_TID}" },
    ]
    max_payload = "2 MB"
    refuse = "strict"
    queue = 100
    [retention]
    severity = { 1 = 5, 4 = 0 }
    max_bytes = "200 GB"
    [disk]
    reserve = "2.5 %"
    [retention.classification]
    "org.clearlinux/mce/*" = 0
    'a "b"/c/d' = 1`;

  for (const [name, toml] of [
    ['of defaults', ''],
    ['with every setting changed', full],
  ] as const) {
    test(`${name} can be read again`, () => {
      const loaded = load({ toml });
      expect(load({ toml: printConfig(loaded) }).config).toEqual(loaded.config);
    });
  }

  test('explains every setting: documentation, what is allowed, where its value came from', () => {
    const file = write('log.level = "warn"');
    const printed = printConfig(loadConfig({ file, env: { TELEMETRICSD_COLLECTOR_QUEUE: '200' } }));
    const words = printed.replaceAll(/\n# /g, ' ');
    for (const { setting } of declaredSettings) {
      expect(words).toContain(setting.doc);
      expect(words).toContain(`Allowed: ${setting.allowed}.`);
    }
    expect(printed).toContain(`# from: ${file}\nlevel = "warn"`);
    expect(printed).toContain('# from: TELEMETRICSD_COLLECTOR_QUEUE\nqueue = 200');
    expect(printed).toContain('# from: default\nmax_payload = "300 KB"');
    expect(printed).toContain('# from: default\n# public_url =');
  });

  test('has only comments, sections and settings, whatever the name of the file', () => {
    const file = join(directory, 'odd\nqueue = 1 #.toml');
    writeFileSync(file, 'log.level = "warn"');
    const printed = printConfig(loadConfig({ file, env: {} }));
    expect(load({ toml: printed }).config.collector.queue).toBe(20_000);
  });
});

describe('declarations', () => {
  for (const { key, setting } of declaredSettings) {
    test(`${key} has documentation, and an example that is right`, () => {
      expect(setting.doc).toEndWith('.');
      expect(setting.allowed).not.toBe('');
      if (!setting.example) return;
      const given = Bun.TOML.parse(`value = ${setting.example}`) as { value: unknown };
      expect(setting.schema.safeParse(given.value).success).toBe(true);
    });
  }
});

describe('nearest', () => {
  const cases: [word: string, expected: string | undefined][] = [
    ['serve', 'serve'],
    ['srve', 'serve'],
    ['sevre', 'serve'],
    ['SERVE', 'serve'],
    ['mig', 'migrate'],
    ['migration', 'migrate'],
    ['conf', 'config'],
    ['zzzz', undefined],
    ['', undefined],
  ];
  for (const [word, expected] of cases) {
    test(`"${word}": ${expected}`, () => expect(nearest(word, ['serve', 'migrate', 'config', 'demo'])).toBe(expected));
  }
});
