import { expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { connect } from '../../src/db/connect.ts';
import { workspace } from './program.ts';
import { exchange, headerRequest } from './wire.ts';

setDefaultTimeout(60_000);

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
  expect(rebuilt.stderr).toContain('Left as they are: 1 day whose records are gone in part.');
  const [told] = await sql`select via, action, after from audit`;
  expect(told).toMatchObject({ via: 'shell', action: 'rebuilt the counters' });
  const [left] = await sql<{ records: number }[]>`
    select count(*) as records from records
     where classification ~ '/mce/(corrected|SRAO|SRAR|UCNA)$' and (received_at at time zone 'UTC')::date = (select min(day) from record_days)`;
  expect((await machineChecks()).counted).toBe(stored - left!.records);
  expect((await exchange(program.port, headerRequest('still taken\n'))).status).toBe(201);
  await sql.end();
});
