import { recordAudit, shellActor } from '../audit/audit.ts';
import { loadConfig } from '../config/load.ts';
import { openExisting } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { createLog } from '../log.ts';
import { progressBar } from '../progress.ts';
import { countMachinesOfDays, listRecordDays, rebuildCounters, rebuildMachineCounts } from './count.ts';

export interface RebuildOptions {
  config?: string | undefined;
  today: boolean;
}

/** Derives the counters of all complete days again; beside a running server it uses that one's PostgreSQL. */
export async function rebuildAllCounters({ config: file, today }: RebuildOptions): Promise<number> {
  const { config } = loadConfig({ file });
  const log = createLog(config.log.level, config.log.format);
  const database = await openExisting(config, log);
  try {
    const client = database.client('rebuild-counters');
    await migrate(client, log);
    const found = await listRecordDays(client);
    const days = found.filter(day => day.complete && (today || !day.today));
    const bar = progressBar(days.length, 'days', 'Counted the records of');
    for (const [done, { day }] of days.entries()) {
      bar.show(done);
      await client.begin(async tx => {
        // A purge may have been there meanwhile.
        const [still] = await tx<{ complete: boolean }[]>`
          select complete from record_days where day = ${day}::date for update`;
        if (!still?.complete) return;
        await rebuildCounters(tx, day, config);
        await countMachinesOfDays(tx, day, day);
      });
    }
    await client.begin(rebuildMachineCounts);
    await recordAudit(client, shellActor(), { action: 'rebuilt the counters', after: { days: days.length } });
    bar.done();
    process.stderr.write(leftOut(found.filter(day => !day.complete).length, !today && found.some(day => day.today)));
    return 0;
  } finally {
    await database.close();
  }
}

function leftOut(incomplete: number, today: boolean) {
  return [
    incomplete > 0 &&
      `Left as they are: ${incomplete} ${incomplete === 1 ? 'day' : 'days'} whose records are gone in part.\n`,
    today && 'Left as it is: today; --today counts it as well.\n',
  ]
    .filter(Boolean)
    .join('');
}
