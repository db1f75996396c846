import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { builtInFinder, builtInParsers } from '../../src/parsers/built-in/parsers.ts';
import { parseBatch } from '../../src/parsers/parse-batch.ts';
import { get, getJson, getPage, post, type TestApp, testApp } from '../app.ts';
import { processorMs } from '../time.ts';

let server: TestApp;
let events = 0;

beforeAll(async () => {
  server = await testApp();
});
afterAll(() => server.close());

async function send(classification: string, payload: string, changes: Record<string, string> = {}): Promise<number> {
  const event_id = (++events).toString(16).padStart(32, '0');
  const { status, json } = await post(server.app, { classification, event_id, ...changes }, payload);
  expect(status).toBe(201);
  return json.id;
}

/** Until nothing waits, as the worker does. */
async function parse() {
  while ((await parseBatch(server.database.sql, builtInParsers(server.config))) > 0);
}

const parsedOf = async (id: number) => (await getJson(server.app, `/api/records/${id}`)).json.parsed;

const MCE = `Hardware event. This is not a software error.
MCE 0
CPU 3 BANK 7
MISC 200d3a4 ADDR 51f2c0
TIME 1795440066
MCi status:
Corrected error
MCA: MEMORY CONTROLLER RD_CHANNEL1_ERR
Transaction: Memory read error
STATUS 8c00004000010091 MCGSTATUS 0
MCGCAP f000c14 APICID 6 SOCKETID 1
CPUID Vendor Intel Family 6 Model 85
`;

const MCE_READ = {
  cpu: 3,
  bank: 7,
  socket: 1,
  status: '8c00004000010091',
  mcgstatus: '0',
  mcgcap: 'f000c14',
  apicid: '6',
  misc: '200d3a4',
  addr: '51f2c0',
  mca: 'MEMORY CONTROLLER RD_CHANNEL1_ERR',
  vendor: 'Intel Family 6 Model 85',
};

const COMPOSITE_LOCALE = ['CTYPE', 'NUMERIC', 'TIME', 'COLLATE', 'MONETARY', 'MESSAGES', 'PAPER', 'MEASUREMENT']
  .map((category, n) => `LC_${category}=${n % 2 ? 'de_DE' : 'en_US'}.UTF-8`)
  .join(';');

const KNOWN: [string, string, unknown][] = [
  ['a/heartbeat/ping', 'hello\nLC_ALL: C.UTF-8\nuptime: 915\n', { locale: 'C.UTF-8', uptime: 915 }],
  ['a/hello/world', 'hello\nuptime: 5\nBundles (2):\nos-core\ngit\nrest', { uptime: 5, bundles: ['os-core', 'git'] }],
  ['a/hello/world', 'hello\n', null],
  ['a/heartbeat/ping', `hello\nLC_ALL: ${COMPOSITE_LOCALE}\nuptime: 77,25\n`, { locale: COMPOSITE_LOCALE, uptime: 77 }],
  [
    'a/swupd-client/update',
    'cmd=update\nresult=0\ncurrent_version=43000\nserver_version=43010\ntime=3.5\nbytes=1200\nfiles_updated=12\n',
    { from: '43000', to: '43010', action: 'update', result: 0, files: 12, bytes: 1200, seconds: 3.5 },
  ],
  [
    'a/swupd-client/update',
    'action: update\nfrom_version: 9.9\nto_version: 9.10\nresult: EIO\n',
    { from: '9.9', to: '9.10', action: 'update', result: 'EIO' },
  ],
  [
    'a/swupd-client/update',
    'current_version=43110\nserver_version=43120\nresult=0\ntime= 18,2\nbytes=   100\nfiles_updated=  7\n',
    { from: '43110', to: '43120', result: 0, files: 7, bytes: 100, seconds: 18.2 },
  ],
  [
    'a/swupd-client/update',
    'current_version=1:2.3~rc1\nserver_version=-404\nresult=0\ntime=  8.2\n',
    { from: '1:2.3~rc1', to: '-404', result: 0, seconds: 8.2 },
  ],
  ['a/mce/corrected', MCE, MCE_READ],
  [
    'telemetricsd/mce/corrected',
    'EDAC MC2: 1 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0 (channel:1 slot:0 page:0x12345)\n',
    { memory_controller: 2, dimm: 'CPU_SrcID#0_Ha#0_Chan#1_DIMM#0' },
  ],
  [
    'telemetricsd/mce/uncorrected',
    'BERT: Error records from previous boot:\n[Hardware Error]: event severity: fatal\n',
    { error_severity: 'fatal' },
  ],
  [
    'telemetricsd/mce/thermal',
    'mce: CPU4: Package temperature is above threshold, cpu clock is throttled (total events = 7)\n',
    { cpu: 4, event: 'Package temperature is above threshold' },
  ],
  ['a/mce/corrected', MCE.replaceAll(/^(?=.)/gm, '2026-05-05T08:57:16+02:00 host mcelog: '), MCE_READ],
  [
    'a/mce/UCNA',
    'May  5 08:57:16 host mcelog[812]: CPU 2 BANK 9 \nMay  5 08:57:16 host mcelog[812]: STATUS 9000 MCGSTATUS 0\n',
    { cpu: 2, bank: 9, status: '9000', mcgstatus: '0' },
  ],
  [
    'a/mce/corrected',
    `mce: [Hardware Error]: CPU 0: Machine Check: 0 Bank 17: dc2040000000011b
mce: [Hardware Error]: TSC 0 ADDR a8eb3fc80 MISC d01202dd01000000 SYND 88e00040a800200 IPID 9600050f00
mce: [Hardware Error]: PROCESSOR 2:a20f10 TIME 1682293811 SOCKET 1 APIC 2c microcode a201009
`,
    {
      cpu: 0,
      bank: 17,
      socket: 1,
      status: 'dc2040000000011b',
      mcgstatus: '0',
      apicid: '2c',
      misc: 'd01202dd01000000',
      addr: 'a8eb3fc80',
      synd: '88e00040a800200',
      ipid: '9600050f00',
    },
  ],
  [
    'a/mce/SRAR',
    'May  5 08:57:16 host kernel: [   12.345678] mce: [Hardware Error]: CPU 3: Machine Check Exception: 4 Bank 5: be00000000800400\n',
    { cpu: 3, bank: 5, status: 'be00000000800400', mcgstatus: '4' },
  ],
  [
    'a/mce/corrected',
    '<4>[Hardware Error]: CPU:6 (17:31:0) MC17_STATUS[Over|CE|MiscV|-|-]: 0xdc2040000000011b\n',
    { cpu: 6, bank: 17, status: 'dc2040000000011b' },
  ],
  [
    'a/mce/thermal',
    '[Fri May  5 08:57:16 2026] mce: CPU5: Package temperature above threshold, cpu clock throttled\n',
    { cpu: 5, event: 'Package temperature above threshold' },
  ],
  ['a/mce/thermal', 'MCE 0\nCPU 12 THERMAL EVENT TSC 1f\n', { cpu: 12, event: 'THERMAL EVENT' }],
  [
    'org.clearlinux/crash/clr',
    'Process: /usr/bin/app\r\nPID: 512\nSignal: 11\n\nBacktrace (TID 512):\n#0 main() - [app]\n',
    { program: '/usr/bin/app', pid: 512, signal: 11 },
  ],
  [
    'crash/kernel/bug',
    'Crash Report:\nReason: BUG: at x\nKernel Version : 6.18.4-1\nTainted : G W\nModules : a b\nBacktrace :\n',
    { reason: 'BUG: at x', kernel: '6.18.4-1', tainted: 'G W' },
  ],
];

const LONG = `\n${'x'.repeat(16_384)}\n`;

test.each(KNOWN)('what the program itself reads from %s: %#', async (classification, payload, expected) => {
  const short = await send(classification, payload);
  expect(await parsedOf(short)).toEqual(expected);
  const long = await send(classification, payload + LONG);
  expect(await parsedOf(long)).toBeNull();
  await parse();
  expect(await parsedOf(long)).toEqual(expected);
});

test('a record that comes again is read once', async () => {
  const event_id = 'a'.repeat(32);
  const first = await send('a/heartbeat/ping', 'uptime: 7\n', { event_id });
  expect(await send('a/heartbeat/ping', 'uptime: 7\n', { event_id })).toBe(first);
  expect(await parsedOf(first)).toEqual({ uptime: 7 });
});

test('a payload that is none of those, or hostile, costs nothing', async () => {
  const find = builtInFinder(builtInParsers(server.config));
  expect(find('a/b/c')).toBeUndefined();
  for (const [classification] of KNOWN) {
    const ms = processorMs(() => {
      for (const text of [
        '',
        '\0',
        'CPU '.repeat(20_000),
        'kernel: mce: [Hardware Error]: '.repeat(2_000),
        `${'<1>['.repeat(50)}\n`.repeat(300),
        `Bundles (999999):\n${'x\n'.repeat(30_000)}`,
        ' '.repeat(65_536),
      ])
        find(classification)!.parse(text);
    });
    expect(ms).toBeLessThan(500);
  }
});

describe('what was read', () => {
  let id: number;
  beforeAll(async () => {
    id = await send('a/mce/UCNA', 'CPU 1 BANK 2\nSTATUS ac MCGSTATUS 0\nMCA: <script>alert(1)</script>\n');
    await send('a/hello/world', 'hello\nBundles (2):\nfirefox\ndesktop\n', { machine_id: 'other' });
  });

  test('stands on the page of the record, as text, and leads to records alike', async () => {
    const { html } = await getPage(server.app, `/telemetryui/records/record_details/${id}`);
    expect(html).toContain('Read from the payload');
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).toContain('href="/telemetryui/records?classification=a%2Fmce%2FUCNA&amp;parsed.bank=2"');
    const waiting = await send('a/mce/UCNA', `CPU 1 BANK 2${LONG}`);
    const page = await getPage(server.app, `/telemetryui/records/record_details/${waiting}`);
    expect(page.html).toContain('This record waits for its parser.');
    await parse();
  });

  test.each([
    ['parsed.cpu=1&parsed.mcgstatus=0', 1],
    ['parsed.bundles=firefox', 1],
    ['parsed.bundles=firefox&machine_id=other', 1],
    ['parsed.bundles=firefox&machine_id=nobody', 0],
    ['parsed.uptime=915', 2],
    ['parsed.uptime=9150', 0],
    ['parsed.from=9.9&classification=a/swupd-client/*', 2],
    ['parsed.nothing.there=1', 0],
  ])('is found by its value, in the list, the count and the export: %s', async (query, expected) => {
    const { json } = await getJson(server.app, `/api/records?${query}`);
    expect(json.records).toHaveLength(expected);
    const { html } = await getPage(server.app, `/telemetryui/records?${query}`);
    expect([...html.matchAll(/record_details\/\d+"/g)].length > 0).toBe(expected > 0);
    const count = await getPage(server.app, `/telemetryui/records/count?${query}`);
    expect(count.html).toContain(`${expected} record`);
    const ndjson = await (await get(server.app, `/telemetryui/records/export/records-x.ndjson?${query}`)).text();
    expect(ndjson.split('\n')).toHaveLength(expected + 1);
    if (expected > 0) expect(JSON.parse(ndjson.split('\n')[0]!).parsed).toEqual(json.records[0].parsed);
  });

  test.each(["parsed.a'b=1", 'parsed.=1', 'parsed.a..b=1', `parsed.a=${'x'.repeat(257)}`, 'parsed.a=%00'])(
    'is not searched by %s',
    async query => {
      const { status, json } = await getJson(server.app, `/api/records?${query}`);
      expect(status).toBe(400);
      expect(json.message).toStartWith('parsed');
      const page = await getPage(server.app, `/telemetryui/records?${query}`);
      expect(page.status).toBe(400);
      expect(page.html).toContain('parsed.KEY: expected');
    },
  );

  test('a filter can be taken away and stays while paging', async () => {
    const { html } = await getPage(server.app, '/telemetryui/records?parsed.bank=2&per_page=1');
    expect(html).toContain('<input type="hidden" name="parsed.bank" value="2"/>');
    expect(html).toContain('bank <b>2</b>');
    expect(html).toMatch(/parsed\.bank=2&amp;before_id=/);
  });

  test('goes with its record, by day or by machine', async () => {
    const { sql } = server.database;
    const rows = async () => (await sql<{ n: number }[]>`select count(*) as n from parsed`)[0]!.n;
    expect(await rows()).toBeGreaterThan(5);
    await sql`select forget_traces('other')`;
    const before = await rows();
    const [day] = await sql<{ day: string; first: number; last: number }[]>`
      select day::text, first_id as first, last_id as last from record_days where first_id <= last_id`;
    await sql`select drop_records_day(${day!.day}::date, ${day!.first}, ${day!.last}, 'x')`;
    expect(before).toBeGreaterThan(0);
    expect(await rows()).toBe(0);
  });
});
