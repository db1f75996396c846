import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { backupInto } from '../../src/backup/commands.ts';
import { TableDigest } from '../../src/backup/digest.ts';
import { type BackupPart, headerOf, readBackup, writeBackup } from '../../src/backup/format.ts';
import { checkBackup, restoreBackup } from '../../src/backup/restore.ts';
import { scheduledBackup } from '../../src/backup/schedule.ts';
import { readDatabase } from '../../src/backup/snapshot.ts';
import { verifyIn } from '../../src/backup/verify.ts';
import type { Sql } from '../../src/db/connect.ts';
import { MIGRATIONS } from '../../src/db/migrations.ts';
import { builtInParsers } from '../../src/parsers/built-in/parsers.ts';
import { parseBatch } from '../../src/parsers/parse-batch.ts';
import { appOn, getJson, post, postJson, recordJson, TID, testConfig } from '../app.ts';
import { type CrashApp, crashApp } from '../crashes/crash-app.ts';
import { quietLog, type TestDatabase, testDatabase } from '../database.ts';
import { passDays } from '../time.ts';

const dir = mkdtempSync(join(tmpdir(), 'telemetricsd-backup-'));
const file = join(dir, 'whole.backup');
const config = testConfig({ TELEMETRICSD_STATE_DIR: dir });
const progress = { show() {} };
let app: CrashApp;
let source: Sql;

beforeAll(async () => {
  app = await crashApp();
  const odd = fc.sample(fc.string({ unit: 'binary', maxLength: 40 }), { numRuns: 60, seed: 4 });
  for (const [n, text] of odd.entries()) {
    const payload = text.replaceAll(/[\ud800-\udfff]/g, '');
    await postJson(
      app.app,
      recordJson({ machine_id: `m${n % 7}`, creation_timestamp: 1_700_000_000 + n }, `${payload}\0"\\\n'{},()`),
    );
  }
  await app.crash(['_ZN3foo3barEv()', 'main()']);
  await app.analyse();
  await passDays(app.sql, 40);
  await post(app.app, { classification: 'x/mce/corrected' }, 'CPU 3 BANK 7\nMCA: "a\\b" {\'c\'},(d)\n');
  while ((await parseBatch(app.sql, builtInParsers(app.config))) > 0);
  await post(app.app, { severity: '9' });
  source = app.database.client('backup');
  await backupInto(source, file, { config });
});
afterAll(async () => {
  await app.close();
  rmSync(dir, { recursive: true });
});

async function sums(sql: Sql) {
  const tables: Record<string, unknown> = {};
  for await (const part of readDatabase(sql)) {
    if (part.kind === 'table') tables[part.table] = part.sum;
    if (part.kind === 'sequences') tables.sequences = part.sequences;
  }
  return tables;
}

async function restored(work: (database: TestDatabase) => Promise<void>, from = file) {
  const database = await testDatabase({ migrated: false });
  try {
    await restoreBackup(database.client('restore'), from, await checkBackup(from), quietLog, progress);
    await work(database);
  } finally {
    await database.close();
  }
}

test('a restored database equals the original in every row and sequence, and works on', async () => {
  const before = await sums(source);
  expect(Object.keys(before)).toEqual(
    expect.arrayContaining(['records', 'crashes', 'stacks', 'quarantine', 'fleets', 'sequences']),
  );
  await restored(async database => {
    expect(await sums(database.client('backup'))).toEqual(before);
    const records = (await getJson(app.app, '/api/records')).json.records;
    expect(records.filter(({ parsed }: { parsed: unknown }) => parsed)).toMatchObject([
      { parsed: { cpu: 3, bank: 7, mca: `"a\\b" {'c'},(d)` } },
      { parsed: { program: expect.any(String) } },
    ]);
    const { app: other } = await appOn(database, app.config);
    expect((await getJson(other, '/api/records')).json.records).toEqual(records);
    const { status, json } = await post(other, { machine_id: 'after', 'X-Telemetry-TID': TID });
    expect(status).toBe(201);
    expect(json.id).toBeGreaterThan(records[0].id);
    const [unplaced] = await database.sql`select count(*) as n from records_default`;
    expect(unplaced).toEqual({ n: 0 });
  });
});

test('large rows are restored in batches that PostgreSQL accepts', async () => {
  const large = join(dir, 'large');
  const row = `(${'x'.repeat(1024 ** 2)})`;
  const digest = new TableDigest();
  async function* parts(): AsyncGenerator<BackupPart> {
    for await (const part of readBackup(file)) if (part.kind === 'header') yield part;
    for (let n = 0; n < 10; n++) {
      const rows = [`${n}${row}`];
      digest.add(rows[0]!);
      yield { kind: 'rows', table: 'records', rows };
    }
    yield { kind: 'table', table: 'records', sum: digest.sum() };
  }
  await writeBackup(large, parts());
  const batches: number[] = [];
  for await (const part of readBackup(large)) if (part.kind === 'rows') batches.push(part.rows.length);
  expect(batches).toEqual([4, 4, 2]);
  rmSync(large);
});

test('a backup gets its name once it is complete, and only its owner may read it', async () => {
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await expect(backupInto(source, join(dir, 'no/such/folder'), { config })).rejects.toThrow(/can't be written/);
  expect(readdirSync(dir)).toEqual(['whole.backup']);
});

describe('is refused before anything is written', () => {
  const bytes = () => readFileSync(file);
  const APPENDED: [what: string, more: () => Uint8Array][] = [
    ['a byte', () => Buffer.from('\n')],
    ['zeros', () => Buffer.alloc(4096)],
    ['many bytes', () => Buffer.alloc(300_000, 'junk')],
    ['the same once more', bytes],
    ['a part of the same', () => bytes().subarray(0, 200)],
    ['no more than a beginning', () => bytes().subarray(0, 4)],
    ['other lines', () => Bun.zstdCompressSync(Buffer.from('"more"\n'))],
  ];
  const cases: [what: string, make: () => Uint8Array, message: RegExp][] = [
    ['an empty file', () => new Uint8Array(), /damaged or no backup: it is empty/],
    [
      'a file that is something else',
      () => Buffer.from('hello\n'.repeat(100)),
      /damaged or no backup: it can't be decompressed/,
    ],
    ['a file that ends too early', () => bytes().subarray(0, bytes().length - 500), /damaged or no backup/],
    ['zstd of something else', () => Bun.zstdCompressSync(Buffer.from('{"a":1}\n')), /does not begin like a backup/],
    [
      'a row that was changed',
      () =>
        Bun.zstdCompressSync(
          Buffer.from(
            Buffer.from(Bun.zstdDecompressSync(bytes())).toString().replace('x/mce/corrected', 'x/mce/corrupted'),
          ),
        ),
      /the rows of \w+ are not those that were backed up/,
    ],
    [
      'a line that is missing',
      () => {
        const lines = Buffer.from(Bun.zstdDecompressSync(bytes())).toString().split('\n');
        return Bun.zstdCompressSync(Buffer.from([...lines.slice(0, -3), ...lines.slice(-2)].join('\n')));
      },
      /its checksum is wrong/,
    ],
    ...APPENDED.map(([what, more]): (typeof cases)[number] => [
      `with ${what} after its end`,
      () => Buffer.concat([bytes(), more()]),
      /damaged or no backup: something follows its end/,
    ]),
  ];
  test.each(cases)('%s', async (_what, make, message) => {
    const broken = join(dir, 'broken');
    writeFileSync(broken, make());
    await expect(checkBackup(broken)).rejects.toThrow(message);
  });

  test('but not one that another program compressed in parts', async () => {
    const plain = Bun.zstdDecompressSync(bytes());
    const parts = [plain.subarray(0, 1_000), plain.subarray(1_000)].map(part =>
      Bun.zstdCompressSync(part, { level: 1 }),
    );
    const skipped = Buffer.from([0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const again = join(dir, 'again');
    writeFileSync(again, Buffer.concat([skipped, ...parts, skipped]));
    expect((await checkBackup(again)).rows).toBe((await checkBackup(file)).rows);
  });

  test('a file that is not there', () => expect(checkBackup(join(dir, 'none'))).rejects.toThrow(/can't be read/));

  test('a backup of a newer program', async () => {
    const newer = join(dir, 'newer');
    async function* parts(): AsyncGenerator<BackupPart> {
      for await (const part of readBackup(file)) {
        if (part.kind === 'sequences')
          yield { ...part, sequences: part.sequences.filter(({ name }) => /^(records|stacks|guilties)_/.test(name)) };
        else if (part.kind !== 'header') yield part;
        else {
          const migrations = [
            ...part.header.migrations,
            { number: 9999, name: 'later', checksum: 'x', program: '9.0.0' },
          ];
          yield { kind: 'header', header: headerOf({ ...part.header, telemetricsd: '9.0.0', migrations }) };
        }
      }
    }
    await writeBackup(newer, parts());
    const database = await testDatabase({ migrated: false });
    const checked = await checkBackup(newer);
    await expect(restoreBackup(database.client('restore'), newer, checked, quietLog, progress)).rejects.toThrow(
      /of telemetricsd 9\.0\.0, which is newer than this program: it has migration 9999/,
    );
    const [found] = await database.sql`select to_regclass('records') as records`;
    expect(found).toEqual({ records: null });
    await database.close();
  });

  test('a backup of a development version, whose migrations were others', async () => {
    const database = await testDatabase({ migrated: false });
    const checked = await checkBackup(file);
    const migrations = checked.header.migrations.map(migration => ({ ...migration, checksum: 'other' }));
    const other = { ...checked, header: { ...checked.header, migrations } };
    expect(
      await restoreBackup(database.client('restore'), file, other, quietLog, progress).catch(error => error),
    ).toMatchObject({
      message: expect.stringContaining('of another build of telemetricsd: its migration 1 (records) is not the one'),
      remedy: expect.stringContaining('Restore it with the program that wrote it'),
    });
    const [found] = await database.sql`select to_regclass('records') as records`;
    expect(found).toEqual({ records: null });
    await database.close();
  });

  test('a database that holds records', async () => {
    const checked = await checkBackup(file);
    await expect(restoreBackup(source, file, checked, quietLog, progress)).rejects.toThrow(
      /holds records, guilties, records in quarantine already/,
    );
  });

  test('a database with accounts or tokens, even without records', async () => {
    const database = await testDatabase();
    const checked = await checkBackup(file);
    await database.sql`insert into users (name, role) values ('bob', 'admin')`;
    const restore = restoreBackup(database.client('restore'), file, checked, quietLog, progress);
    await expect(restore).rejects.toThrow(/holds accounts already/);
    await database.close();
  });
});

test('tables of other programs in the schema are neither backed up nor emptied', async () => {
  const database = await testDatabase({ migrated: false });
  await database.sql`create table mine (id bigint generated always as identity, note text)`;
  await database.sql`insert into mine (note) values ('kept')`;
  await restoreBackup(database.client('restore'), file, await checkBackup(file), quietLog, progress);
  expect([...(await database.sql`select note from mine`)]).toEqual([{ note: 'kept' }]);
  expect(await sums(database.client('backup'))).toEqual(await sums(source));
  await database.close();
});

test('an older backup is brought to the schema of this program', async () => {
  const older = join(dir, 'older');
  // A schema from before migration 5, which fills the never-guilty list. It has no functions, and the tables are as
  // now.
  const isOld = ({ number }: { number: number }) => number < 5;
  async function* parts(): AsyncGenerator<BackupPart> {
    for await (const part of readBackup(file)) {
      if (part.kind === 'header')
        yield { kind: 'header', header: { ...part.header, migrations: part.header.migrations.filter(isOld) } };
      else if (part.kind === 'sequences')
        yield { ...part, sequences: part.sequences.filter(({ name }) => name !== 'never_guilty_id_seq') };
      else if (part.table !== 'never_guilty') yield part;
    }
  }
  await writeBackup(older, parts());
  const { never_guilty: _, sequences: __, ...before } = await sums(source);
  await restored(async database => {
    expect(await sums(database.client('sums'))).toMatchObject(before);
    const [row] = await database.sql`
      select (select count(*) from never_guilty) > 1000 as listed, (select max(number) from schema_migrations) as applied,
             to_regclass('records_' || to_char(now() at time zone 'UTC' + interval '14 days', 'YYYYMMDD')) is not null as ahead,
             (select count(*) from records_default) as unplaced`;
    expect(row).toEqual({ listed: true, applied: MIGRATIONS.at(-1)!.number, ahead: true, unplaced: 0 });
    const { app: other } = await appOn(database, app.config);
    expect((await post(other, { machine_id: 'after' })).status).toBe(201);
  }, older);
  const scratch = await testDatabase({ migrated: false });
  const checked = await checkBackup(older);
  expect(await verifyIn(scratch.client('verify'), older, checked, quietLog, progress)).toBeGreaterThan(20);
  await scratch.close();
});

test('verify finds a row that was restored wrongly', async () => {
  const checked = await checkBackup(file);
  const { rows, sha256 } = checked.tables.get('records')!;
  checked.tables.set('records', { rows, sha256: sha256.replace(/^./, digit => (digit === '0' ? '1' : '0')) });
  const scratch = await testDatabase({ migrated: false });
  await expect(verifyIn(scratch.client('verify'), file, checked, quietLog, progress)).rejects.toThrow(
    'table records differs after restoring',
  );
  await scratch.close();
});

test('scheduled backups are named after their time; the oldest are removed, and so are leftovers of a killed server', async () => {
  const folder = mkdtempSync(join(dir, 'daily-'));
  writeFileSync(join(folder, 'mine.backup'), 'not one of them');
  writeFileSync(join(folder, '.1-1.unfinished'), 'left');
  writeFileSync(join(folder, '.2-2.unfinished'), 'under way');
  utimesSync(join(folder, '.1-1.unfinished'), new Date('2026-11-20'), new Date('2026-11-20'));
  utimesSync(join(folder, '.2-2.unfinished'), new Date('2026-11-23T03:29Z'), new Date('2026-11-23T03:29Z'));
  for (const day of [21, 22, 23])
    await scheduledBackup(source, config, folder, 2, quietLog, new Date(`2026-11-${day}T03:30:00Z`));
  expect(readdirSync(folder).sort()).toEqual([
    '.2-2.unfinished',
    'mine.backup',
    'telemetricsd-20261122-033000.backup',
    'telemetricsd-20261123-033000.backup',
  ]);
});

test('a backup made with a wrong clock removes no others, and the one just written always stays', async () => {
  const folder = join(dir, 'misdated');
  const write = (day: string, keep: number | 'all') =>
    scheduledBackup(source, config, folder, keep, quietLog, new Date(`${day}T03:30:00Z`));
  const left = () => readdirSync(folder).map(file => file.slice(13, 21));
  for (const day of ['2026-11-21', '2026-11-22']) await write(day, 2);
  for (const day of ['2027-11-21', '2027-11-22', '2027-11-23']) await write(day, 'all');
  expect(left().sort()).toEqual(['20261121', '20261122', '20271121', '20271122', '20271123']);
  await write('2026-11-23', 2);
  expect(left().sort()).toEqual(['20261123', '20271123']);
  await write('2026-11-24', 1);
  expect(left()).toEqual(['20261124']);
});
