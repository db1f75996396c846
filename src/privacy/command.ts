import { recordAudit, shellActor } from '../audit/audit.ts';
import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import { OperatorError } from '../errors.ts';
import { progressBar } from '../progress.ts';
import { withDatabase } from '../with-database.ts';
import { findTraces, forgetMachine, isUnknownMachine, type MachineTraces } from './forget.ts';
import { machineHash } from './machine-ids.ts';

interface ForgetOptions {
  config?: string | undefined;
  'dry-run': boolean;
  yes: boolean;
}

/** Erases a machine id, or tells what would go, on stdout; beside a running server it uses that one's PostgreSQL. */
export async function forget(
  machineId: string,
  { config: file, 'dry-run': dryRun, yes }: ForgetOptions,
  print: (text: string) => Promise<void>,
) {
  return withDatabase('forget', { config: file }, async ({ sql, config }) => {
    const known = await knownIds(sql, machineId);
    if (known.length === 0) await print(`Nothing is known of machine ${machineId}.\n`);
    for (const { id, traces } of known) await print(describe(id, traces));
    if (known.length > 0 && !dryRun) {
      confirm(machineId, yes);
      for (const { id, traces } of known) {
        const before = { ...traces };
        await recordAudit(sql, shellActor(), { action: 'forgot a machine', subject: `machine ${id}`, before });
        const bar = progressBar(traces.records, 'records', 'Erased');
        const left = await forgetMachine(sql, id, config, bar.show);
        bar.done();
        await print(isUnknownMachine(left) ? '\nAll of this is erased.\n' : stillReporting(left));
      }
    }
    await print(unreachable(machineId, config));
  });
}

/** What there is of a machine: of the id itself, and of what its reports by ABRT say in the place of it. */
async function knownIds(sql: Sql, machineId: string) {
  const hash = (await machineHash(sql))(machineId);
  const ids = await Promise.all([machineId, hash].map(async id => ({ id, traces: await findTraces(sql, id) })));
  return ids.filter(({ id, traces }) => id !== '' && !isUnknownMachine(traces));
}

function describe(machineId: string, traces: MachineTraces): string {
  const { firstDay, lastDay } = traces;
  const days = firstDay === lastDay ? firstDay : `${firstDay} to ${lastDay}`;
  const lines: [number, string][] = [
    [traces.records, `records${traces.records > 0 ? ` (${days})` : ''}, with what is counted of them`],
    [traces.crashes, 'analysed crashes'],
    [traces.parsed, 'payloads that a parser has read'],
    [traces.ownStacks, 'backtraces that no other machine reported'],
    [traces.stackCounts, 'counts of its backtraces and guilties'],
    [traces.queued, 'records waiting for analysis'],
    [traces.recent, 'fingerprints of recent records'],
    [traces.lastSeen, 'days it was last seen, by system and build'],
    [traces.machineChecks, 'counts of its machine checks'],
    [traces.signals, 'periods with its heartbeats and faults'],
    [traces.quarantined, 'records in quarantine'],
  ];
  const figures = lines.map(([rows]) => rows.toLocaleString('en'));
  const width = Math.max(...figures.map(figure => figure.length));
  return `Machine ${machineId}:\n${lines.map(([, what], n) => `  ${figures[n]!.padStart(width)}  ${what}\n`).join('')}`;
}

function confirm(machineId: string, yes: boolean) {
  if (yes) return;
  const remedy = 'Run it with --yes to erase all of this, or with --dry-run to look only.';
  if (!process.stdin.isTTY) throw new OperatorError('nothing was erased: that has to be confirmed', remedy);
  if (prompt('\nThis cannot be undone. Type the machine id to erase it:')?.trim() !== machineId)
    throw new OperatorError('nothing was erased: what was typed is not the machine id', remedy);
}

function stillReporting(left: MachineTraces): string {
  return (
    `\nErased, but the machine goes on reporting: ${left.records.toLocaleString('en')} records have come since. Switch its reporting ` +
    'off, as Connect machines says (telemetrics client: sudo telemctl opt-out), and run this again.\n'
  );
}

/** What an admin has to see to. */
function unreachable(machineId: string, config: Config): string {
  const backups = config.backup.dir
    ? `backups made before, in ${config.backup.dir} and elsewhere`
    : 'backups made before';
  const rule = Object.hasOwn(config.retention.machine_id, machineId);
  const lines = [
    `${backups}: delete them, or run this again after restoring one`,
    'what was exported, or answered to scripts, before',
    'the audit, which tells of this and of what people did with its records',
    'the machine itself, which may hold records that it has not sent yet',
    'other ids of the same machine: clients take a new one every 3 days',
    'payloads of other machines that mention it',
    'counts of records that retention has taken before; they name no machine',
    'blocks of the database files on disk until PostgreSQL writes over them',
    rule && 'the rule for it in retention.machine_id: take it out of the configuration',
  ];
  return `\nNot reached:\n${lines
    .filter(line => line !== false)
    .map(line => `  - ${line}\n`)
    .join('')}`;
}
