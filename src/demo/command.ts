import { loadConfig } from '../config/load.ts';
import { TEST_CLASSIFICATION } from '../connect/curl-line.ts';
import type { Queryable } from '../db/connect.ts';
import { openDatabase } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { makePartitionsAhead } from '../db/partitions.ts';
import { OperatorError } from '../errors.ts';
import { registerFleets } from '../fleets.ts';
import { createLog } from '../log.ts';
import { progressBar } from '../progress.ts';
import { sampleFleet } from './fleet.ts';
import { AT_ONCE, writeFleet } from './write.ts';

interface DemoOptions {
  config?: string | undefined;
  records: number;
  machines: number;
  days: number;
  seed: number;
  force: boolean;
}

/** Fills the configured database with sample data; beside a running server it uses that one's PostgreSQL. */
export async function writeDemo({ config: file, records, machines, days, seed, force }: DemoOptions): Promise<number> {
  const { config } = loadConfig({ file });
  const log = createLog(config.log.level, config.log.format);
  const database = await openDatabase(config, log, { join: true });
  try {
    const client = database.client('demo');
    await migrate(client, log);
    await makePartitionsAhead(client, log);
    if (!force && (await hasRecords(client))) {
      throw new OperatorError(
        'the database has records already, and nobody could tell sample data from them',
        'Use a state directory of its own (TELEMETRICSD_STATE_DIR=./demo), or --force (npm run demo -- --force) to write into this one all the same.',
      );
    }
    const fleets = [...(await registerFleets(client, config.collector.tids)).values()];
    const until = new Date();
    const where = database.kind === 'external' ? 'the database of database.url' : config.state.dir;
    const figure = (n: number) => n.toLocaleString('en');
    process.stderr.write(
      `Writing SAMPLE DATA into ${where}: ${figure(records)} made-up records of ${figure(machines)} machines over ${days} days, seed ${seed}.\n`,
    );
    const bar = progressBar(records, 'records');
    const fleet = sampleFleet({ records, machines, days, seed, until, fleets: fleets.length });
    await writeFleet(database.client('demo days', { connections: AT_ONCE }), fleet, {
      fleets,
      config,
      progress: bar.show,
    });
    // Of the partitions of records the newest, where lists begin; autovacuum sees to the others within minutes.
    await client`analyze ${client(`records_${until.toISOString().slice(0, 10).replaceAll('-', '')}`)}`;
    await client`analyze build_counts, platform_counts, kernel_counts, hour_counts, machines_last_seen, machine_counts, machine_days,
            machine_check_machines, machine_check_totals, machine_check_cpus, update_counts,
            exposed_machines, exposure_counts, affected_machines, affected_counts`;
    bar.done();
    return 0;
  } finally {
    await database.close();
  }
}

/** Whether anything but test records has ever come; what retention took is still counted. */
async function hasRecords(sql: Queryable): Promise<boolean> {
  const [row] = await sql<{ present: boolean }[]>`
    select exists (select from records where classification <> ${TEST_CLASSIFICATION})
        or exists (select from build_counts where classification <> ${TEST_CLASSIFICATION}) as present`;
  return row!.present;
}
