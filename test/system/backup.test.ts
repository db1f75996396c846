import { expect, test } from 'bun:test';
import { connect } from '../../src/db/connect.ts';
import { missingFrom, startLoad } from '../executable/load.ts';
import { externalServer } from '../executable/postgres.ts';
import { eventually, workspace } from '../executable/program.ts';

const place = workspace();

test('a backup under load has every record answered before it began; restored into an external database, it has them', async () => {
  const program = await place.start({ stateDir: place.path('state') });
  const load = startLoad([program.port], { connections: 32 });
  await eventually('records are stored', () => load.acknowledged.size > 1_000);
  const before = new Map(load.acknowledged);
  const file = place.path('monday.backup');
  const backup = await place.run(['backup', file], { stateDir: program.stateDir });
  expect([backup.code, backup.stderr]).toEqual([0, expect.stringContaining('Backed up')]);
  expect(load.acknowledged.size).toBeGreaterThan(before.size);
  await load.stop();

  const verified = await place.run(['verify', file]);
  expect([verified.code, verified.stderr]).toEqual([0, expect.stringContaining('tables are the same, row by row')]);

  const server = await externalServer(place);
  const env = { TELEMETRICSD_DATABASE_URL: server.url };
  const restored = await place.run(['restore', file], { env });
  expect([restored.code, restored.stderr]).toEqual([0, expect.stringContaining('Restored')]);
  const sql = connect({ target: { url: server.url }, connections: 1, name: 'test' });
  expect(await missingFrom(sql, before)).toEqual([]);
  await sql.end();

  const again = await place.run(['restore', file], { env });
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('holds records already')]);
  expect((await place.run(['backup', file], { env })).stderr).toContain('exists already');
  expect((await place.run(['backup'])).stderr).toContain('backup needs a FILE');
});
