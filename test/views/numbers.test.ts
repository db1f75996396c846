import { afterAll, beforeAll, expect, test } from 'bun:test';
import { sampleFleet } from '../../src/demo/fleet.ts';
import { writeFleet } from '../../src/demo/write.ts';
import { registerFleets } from '../../src/fleets.ts';
import { getPage, post, submit } from '../app.ts';
import { type CrashApp, crashApp } from '../crashes/crash-app.ts';
import { type LinkedNumber, linkedNumbers, numberOf } from './linked-numbers.ts';

// Each number that leads somewhere is followed: what is shown there must be that number.

const PREFIX = '/telemetryui';

let server: CrashApp;
let guilties: number[];

beforeAll(async () => {
  server = await crashApp();
  const { sql, config, app } = server;
  const fleets = [...(await registerFleets(sql, config.collector.tids)).values()];
  const fleet = sampleFleet({
    records: 6000,
    machines: 600,
    days: 40,
    seed: 7,
    until: new Date(),
    fleets: fleets.length,
  });
  await writeFleet(server.database.client('demo', { connections: 4 }), fleet, { fleets, config, progress: () => {} });
  // What is called alike on several systems, and systems without a name.
  for (const system of ['debian', 'fedora', '', 'a, b & <c>'])
    for (const machine of ['one', 'two']) {
      const at = { system_name: system, machine_id: machine, build: '43.8_x', host_type: '' };
      await post(app, { ...at, classification: 'org.clearlinux/mce/corrected' });
      await server.crash(['everywhere()', 'main()'], at);
    }
  for (const severity of ['7', '8', '8']) await post(app, { severity });
  await server.analyse();
  const found = await sql<{ id: number }[]>`
    select guilty_id as id from stacks join stack_counts on stack_id = stacks.id
     where guilty_id is not null and day > (now() at time zone 'UTC')::date - 7 group by 1 order by sum(records) desc, 1 limit 2`;
  const [everywhere] = await sql<{ id: number }[]>`select id from guilties where function = 'everywhere()'`;
  guilties = [...found.map(({ id }) => id), everywhere!.id];
  for (const id of guilties.slice(1)) await submit(app, `${PREFIX}/crashes/hidings`, { id: String(id) });
});
afterAll(() => server.close());

const SHOWN: [path: RegExp, numbers: RegExp, units: ('records' | 'machines')[]][] = [
  [/^\/records\?/, /([\d,]+) records? found(?:, from ([\d,]+) machine ids?)?/, ['records', 'machines']],
  [/^\/crashes\/guilty_details\/\d+\/backtraces/, /different stacks? in ([\d,]+) records?/, ['records']],
  [/^\/crashes\/guilty_details\/\d+/, /([\d,]+) records?, ([\d,]+) machines?/, ['records', 'machines']],
  [/^\/crashes\/guilty_edit\/hidden/, /([\d,]+) hidden guilt/, ['records']],
  [/^\/crashes/, /([\d,]+) analysed crash records?/, ['records']],
  [/^\/population/, /About ([\d,]+) machines/, ['machines']],
  [/^\/quarantine/, /([\d,]+) of at most [\d,]+ records? kept/, ['records']],
];

const seen = new Map<string, Promise<Record<string, number>>>();

/** What a page says that it counts. */
function shownAt(href: string) {
  const known = seen.get(href) ?? readShown(href);
  seen.set(href, known);
  return known;
}

async function readShown(href: string): Promise<Record<string, number>> {
  const path = href.slice(PREFIX.length);
  const [, numbers, units] = SHOWN.find(([pattern]) => pattern.test(path)) ?? [];
  if (!numbers || !units) throw new Error(`nobody knows what ${href} counts`);
  const { status, html } = await getPage(server.app, href.replace('/records?', '/records/count?'));
  expect([href, status]).toEqual([href, 200]);
  const [, ...found] = numbers.exec(html.replaceAll(/<[^>]+>/g, '').replaceAll(/\s+/g, ' ')) ?? [];
  return Object.fromEntries(found.flatMap((n, place) => (n === undefined ? [] : [[units[place]!, numberOf(n)]])));
}

// The sample fleet is another one at another time of the day.
const PAGES: [path: string, least: number][] = [
  ['', 8],
  ['/builds', 33],
  ['/builds?os=debian&days=35', 16],
  ['/builds?days=91&fleet=servers', 20],
  ['/stats', 20],
  ['/stats?os=fedora&fleet=servers&days=35&top=1000', 6],
  ['/mce', 20],
  ['/mce?os=debian&fleet=default&days=28', 5],
  ['/thermal?days=91', 6],
  ['/updates?days=7', 6],
  ['/updates?os=clear-linux-os&fleet=servers', 2],
  ['/population', 33],
  ['/population?os=debian&fleet=servers&days=14', 10],
  ['/population?days=364', 20],
  ['/crashes', 13],
  ['/crashes?fleet=servers&days=35&sort=machines', 10],
  ['/crashes?os=debian&days=14', 6],
  ['/crashes/43.8_x', 1],
  ['/crashes/43.8_x?os=debian', 1],
  ['/quarantine', 0],
];

test.each(PAGES)('numbers of %p lead to as many', followAll);

test.each([
  ['', 4],
  ['?days=10', 4],
  ['?os=debian', 0],
  ['?os=debian&fleet=servers&days=14', 0],
])('numbers of guilties%s lead to as many', async (query, least) => {
  for (const id of guilties) await followAll(`/crashes/guilty_details/${id}${query}`, least);
});

async function followAll(path: string, least: number) {
  const { status, html } = await getPage(server.app, `${PREFIX}${path}`);
  expect([path, status]).toEqual([path, 200]);
  // The page of a guilty is of all builds.
  const numbers = linkedNumbers(html, !path.startsWith('/crashes/43'));
  if (numbers.length < least) throw new Error(`${path} has only ${numbers.length} numbers that lead somewhere`);
  const found: (LinkedNumber & { shown: number | undefined })[] = [];
  for (const number of numbers) found.push({ ...number, shown: (await shownAt(number.href))[number.unit] });
  expect(found.filter(({ n, shown }) => n !== shown)).toEqual([]);
}
