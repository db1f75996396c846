import { recordAudit, shellActor } from '../audit/audit.ts';
import { loadConfig } from '../config/load.ts';
import { maskPasswords } from '../config/mask.ts';
import type { Tid } from '../config/tid.ts';
import { openDatabase } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { makePartitionsAhead } from '../db/partitions.ts';
import { OperatorError } from '../errors.ts';
import { registerFleets } from '../fleets.ts';
import { createLog } from '../log.ts';
import { createScrubber } from '../privacy/scrubber.ts';
import { progressBar } from '../progress.ts';
import { describeImport } from './report.ts';
import { runImport } from './run.ts';
import { identify, openSource } from './source.ts';

interface ImportOptions {
  config?: string | undefined;
  fleet?: string | undefined;
  again: boolean;
  'dry-run': boolean;
}

const SCRUB_QUEUE = { maxWaiting: 10_000, answerWithinMs: 600_000 };
const DIFFERENT = 1;

/** Copies an old server's database, or tells what would come; resolves to the exit code. Beside a running server it uses that one's PostgreSQL. */
export async function importFrom(
  url: string,
  { config: file, fleet: fleetName, again, 'dry-run': dryRun }: ImportOptions,
  print: (text: string) => Promise<void>,
): Promise<number> {
  const { config } = loadConfig({ file });
  const log = createLog(config.log.level, config.log.format);
  const tid = tidOf(fleetName, config.collector.tids);
  const source = await openSource({ url });
  const scrubber = createScrubber(config.privacy.scrub, SCRUB_QUEUE);
  try {
    const database = await openDatabase(config, log, { join: true });
    try {
      const sql = database.client('import');
      if ((await identify(sql)) === source.key)
        throw new OperatorError(
          '--from names the database that this server uses itself',
          'Name the old one, or another in database.url; nothing was changed.',
        );
      await migrate(sql, log);
      await makePartitionsAhead(sql, log);
      const fleets = await registerFleets(sql, config.collector.tids);
      const name = maskPasswords(url);
      const importer = { sql, config, log, fleet: fleets.get(tid.id)!, scrubber, dryRun };
      const report = await runImport(source, name, again, importer, {
        bar: total => progressBar(Math.max(1, total), 'records', 'Read'),
        olderThanRetention: warnOfRetention(config.retention.days),
      });
      if (!dryRun) {
        const { imported, present } = report.state;
        const after = { imported, present, set_aside: report.setAside };
        await recordAudit(sql, shellActor(), { action: 'imported', subject: name, after });
      }
      await print(describeImport(report));
      return report.difference === 0 ? 0 : DIFFERENT;
    } finally {
      await database.close();
    }
  } finally {
    await scrubber.drain();
    await source.sql.end({ timeout: 2 });
  }
}

function tidOf(name: string | undefined, tids: readonly Tid[]): Tid {
  const tid = name === undefined ? tids[0] : tids.find(known => known.name === name);
  if (tid) return tid;
  const names = [...new Set(tids.map(known => known.name))].join(', ');
  throw new OperatorError(`there is no fleet "${name}" in collector.tids`, `Name one of these with --fleet: ${names}.`);
}

function warnOfRetention(days: number) {
  return (records: number) => {
    process.stderr.write(
      `${records.toLocaleString('en')} of the records are older than retention.days = ${days}: the next purge takes those of them that no ` +
        'rule of [retention] keeps. To keep them, change retention.days before the import.\n',
    );
  };
}
