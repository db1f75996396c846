import { recordAudit, shellActor } from '../audit/audit.ts';
import { progressBar } from '../progress.ts';
import { withDatabase } from '../with-database.ts';
import { countMachinesOfDays, countWholeDay, listRecordDays, rebuildCounters, rebuildMachineCounts } from './count.ts';

interface RebuildOptions {
  config?: string | undefined;
  today: boolean;
}

/** Derives the counters of all complete days again; beside a running server it uses that one's PostgreSQL. */
export async function rebuildAllCounters({ config: file, today }: RebuildOptions): Promise<number> {
  return withDatabase('rebuild-counters', { config: file }, async ({ sql, config }) => {
    const found = await listRecordDays(sql);
    const days = found.filter(day => day.complete && (today || !day.today));
    const bar = progressBar(days.length, 'days', 'Counted the records of');
    for (const [done, { day }] of days.entries()) {
      bar.show(done);
      await sql.begin(async tx => {
        await countWholeDay(tx, day, config);
        // A purge may have been there meanwhile.
        const [still] = await tx<{ complete: boolean }[]>`
          select complete from record_days where day = ${day}::date for update`;
        if (!still?.complete) return;
        await rebuildCounters(tx, day, config);
        await countMachinesOfDays(tx, day, day);
      });
    }
    await sql.begin(rebuildMachineCounts);
    await recordAudit(sql, shellActor(), { action: 'rebuilt the counters', after: { days: days.length } });
    bar.done();
    process.stderr.write(leftOut(found.filter(day => !day.complete).length, !today && found.some(day => day.today)));
    return 0;
  });
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
