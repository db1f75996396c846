import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { connect } from '../../src/db/connect.ts';
import { workspace } from './program.ts';
import { exchange, headerRequest } from './wire.ts';

const place = workspace();

test('rebuild-counters counts again by the configuration as it is, beside a running server', async () => {
  const stateDir = place.path('state');
  const none = { TELEMETRICSD_MACHINE_CHECKS_CLASSIFICATIONS: 'none/none/none' };
  await place.run(['demo', '--records', '3000', '--machines', '200', '--days', '3'], { stateDir, env: none });
  const program = await place.start({ stateDir });
  const sql = connect({ target: { socketDir: join(stateDir, 'run') }, connections: 1, name: 'test' });
  const machineChecks = async () => {
    const [row] = await sql<{ counted: number; stored: number }[]>`
      select (select coalesce(sum(records), 0)::bigint from machine_check_machines) as counted,
             (select count(*) from records where classification ~ '/mce/(corrected|SRAO|SRAR|UCNA)$') as stored`;
    return row!;
  };
  const { counted, stored } = await machineChecks();
  expect(counted).toBe(0);
  expect(stored).toBeGreaterThan(0);

  await sql`update record_days set complete = false where day = (select min(day) from record_days)`;
  const rebuilt = await place.run(['rebuild-counters', '--today'], { stateDir });
  expect(rebuilt.stderr).toContain('Not changed: 1 day that lost records.');
  const [told] = await sql`select via, action, after from audit`;
  expect(told).toMatchObject({ via: 'shell', action: 'rebuilt the counters' });
  const [left] = await sql<{ records: number }[]>`
    select count(*) as records from records
     where classification ~ '/mce/(corrected|SRAO|SRAR|UCNA)$' and (received_at at time zone 'UTC')::date = (select min(day) from record_days)`;
  expect((await machineChecks()).counted).toBe(stored - left!.records);
  expect((await exchange(program.port, headerRequest('still taken\n'))).status).toBe(201);
  await sql.end();
});

test('a purge by hand overrides that the date is not believed, and says so', async () => {
  const program = await place.start();
  const sql = program.sql();
  expect((await exchange(program.port, headerRequest('kept\n'))).status).toBe(201);
  await sql`update clock set trusted_at = now() - interval '40 days', looked_at = now() - interval '40 days'`;
  const asked = await place.run(['purge', '--dry-run'], { stateDir: program.stateDir });
  expect([asked.code, asked.stderr]).toEqual([
    0,
    expect.stringMatching(/40 days after when it was last believed[\s\S]*would also mean/),
  ]);
  expect((await sql`select from clock where doubted_at is not null`).count).toBe(1);
  const purged = await place.run(['purge'], { stateDir: program.stateDir });
  expect([purged.code, purged.stderr]).toEqual([0, expect.stringContaining('the date is believed from now on')]);
  expect((await sql`select from clock where doubted_at is null and trusted_at > now() - interval '1 hour'`).count).toBe(
    1,
  );
  await sql.end();
  expect((await program.stop()).code).toBe(0);
});
