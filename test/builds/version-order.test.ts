import { afterAll, beforeAll, expect, test } from 'bun:test';
import fc from 'fast-check';
import { type TestDatabase, testDatabase } from '../database.ts';
import { compareBuilds } from './version-order.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

async function ordered(builds: string[]): Promise<string[]> {
  const rows = await database.sql<{ build: string }[]>`
    select build from jsonb_array_elements_text(${JSON.stringify(builds)}::text::jsonb) build order by version_order(build), random()`;
  return rows.map(({ build }) => build);
}

/** From old to new, as distributions number their releases (os-release, dpkg, rpm). */
const RELEASES: [of: string, builds: string[]][] = [
  ['integers', ['0', '9', '10', '43010', '43020', '4294967296', '9'.repeat(60), '1'.repeat(61), '1'.repeat(256)]],
  ['Ubuntu', ['9.10', '10.04', '22.04.5', '24.04', '24.04.1', '24.04.4', '26.04']],
  ['candidates before their release', ['38', '39~beta', '39~rc1', '39~rc2', '39~rc10', '39', '39.1']],
  ['tildes within and at the end', ['1.0~~', '1.0~~a', '1.0~', '1.0~rc1~git2', '1.0~rc1', '1.0']],
  ['snapshots after a release', ['1.0~git1', '1.0', '1.0^', '1.0^git4', '1.0^git5', '1.0^git10', '1.0.1']],
  ['Debian revisions', ['1.0', '1.0-1', '1.0-1+b1', '1.0-2', '1.0+dfsg-1', '1.0.1-1']],
  ['revisions of versions with more to them', ['1.0~rc1-3', '1.0-2', '1.0^git1-1', '1.0a-1', '1.0+x-1', '1.0.1-1']],
  ['backports', ['6.12.43~bpo12+1', '6.12.43', '6.12.43+deb12', '6.12.43+deb13', '6.12.44~bpo12+1']],
  ['epochs', ['9.9', '99999999', '1:0.9', '1:2.3~rc1', '1:2.3', '2:0', '10:0']],
  ['meta-balena', ['2.29.2', '2.29.2+rev1', '2.29.2+rev2', '2.29.2+rev10', '2.29.3', '2.113.18']],
  ['OpenSSL letters', ['1.0.2', '1.0.2a', '1.0.2k', '1.0.2za', '1.0.2.1']],
  ['Alpine', ['3.19.1', '3.20.0_alpha20240329', '3.20.0_alpha20240606', '3.21']],
  ['NixOS', ['24.05', '24.11', '24.11pre-git', '24.11pre123', '24.11.20241201', '25.05']],
  ['Tumbleweed', ['20240101', '20241231', '20250101']],
  ['git describe', ['v1.5.0', 'v1.5.0-2-gabc', 'v1.5.0-alpha.1', 'v1.5.0-alpha.1-2-gabc', 'v1.5.0-alpha.1-12-gabc']],
  ['words after numbers', ['9.9', '24.04.1', 'Rolling', 'edge', 'rolling', 'v23.12', 'v24.06']],
];

test.each(RELEASES)('builds are in the order of versions: %s', async (_, builds) => {
  for (let n = 0; n < 3; n++) expect(await ordered([...builds].reverse())).toEqual(builds);
  expect([...builds].reverse().sort(compareBuilds)).toEqual(builds);
});

test.each([
  ['1.0', '1.00'],
  ['1.01', '1.1'],
  ['0:1.0', '1.0'],
  ['00', '0'],
])('%s and %s are the same version', async (one, other) => {
  const [row] = await database.sql<{ same: boolean }[]>`
    select version_order(${one}) = version_order(${other}) as same`;
  expect([row!.same, compareBuilds(one, other)]).toEqual([true, 0]);
});

test('the order of any two builds follows from their characters, numbers and epochs', async () => {
  const part = fc.oneof(
    { weight: 3, arbitrary: fc.nat({ max: 120 }).map(String) },
    fc.constantFrom('0', '00', '007', '99999999999999999999', ''),
    fc.constantFrom('~', '~', '^', '+', '-', '.', '.', ':', '_'),
    fc.stringMatching(/^[a-zA-Z]{1,3}$/),
  );
  const build = fc.array(part, { minLength: 1, maxLength: 8 }).map(parts => parts.join('') || '0');
  // Compares similar builds, which differ in one place only.
  const pair = fc.oneof(
    fc.tuple(build, build),
    fc
      .tuple(build, part, part, build)
      .map(([head, a, b, tail]): [string, string] => [head + a + tail, head + b + tail]),
    fc.tuple(build, part).map(([head, tail]): [string, string] => [head, head + tail]),
  );
  const pairs = fc.sample(pair, { numRuns: 4_000, seed: Number(process.env.FUZZ_SEED ?? Date.now() % 1e9) });
  const rows = await database.sql<{ a: string; b: string; found: number }[]>`
    select p->>0 as a, p->>1 as b,
           case when version_order(p->>0) < version_order(p->>1) then -1
                when version_order(p->>0) > version_order(p->>1) then 1 else 0 end as found
      from jsonb_array_elements(${JSON.stringify(pairs)}::text::jsonb) p`;
  const wrong = rows.filter(({ a, b, found }) => found !== compareBuilds(a, b));
  expect(wrong.slice(0, 5)).toEqual([]);
});
