import type { Judgements } from './judgements.ts';
import type { ImportReport } from './run.ts';

/** Describes what was found, what happened to it, and whether the counts agree. */
export function describeImport(report: ImportReport): string {
  const { name, source, fleet, state, before, inSource, setAside, difference, judgements, dryRun } = report;
  const reasons = Object.entries(state.setAside).sort(([, a], [, b]) => b - a);
  const would = (done: string, planned: string) => (dryRun ? planned : done);
  const renumbered =
    state.renumbered > 0 ? `, ${figure(state.renumbered)} of them under a new id, since theirs was taken` : '';
  const rows: [number, string][] = [
    [inSource, `records in the source${before > 0 ? `, ${figure(before)} of them handled before` : ''}`],
    [state.imported, `${would('imported', 'to be imported')} into the fleet "${fleet}"${renumbered}`],
    [state.present, 'already here, or duplicates of another record'],
    [
      setAside,
      `${would('set aside', 'to be set aside')}${setAside > 0 ? ' (in quarantine as far as its limits allow; the source has them all):' : ''}`,
    ],
    ...reasons.map(([reason, records]): [number, string] => [records, `  ${reason}`]),
    [difference, 'difference'],
  ];
  const width = Math.max(...rows.map(([records]) => figure(records).length));
  const lines = [
    `${name} (${source.schema} schema)`,
    ...rows.map(([records, what]) => `  ${figure(records).padStart(width)}  ${what}`),
    ...describeJudgements(judgements, would('', 'To be taken over: ')),
    source.foreignTables.length > 0 &&
      `Tables that do not belong to the old server, not read: ${source.foreignTables.join(', ')}.`,
    difference !== 0 && adviceOn(difference),
  ];
  return `${lines.filter(Boolean).join('\n')}\n`;
}

function describeJudgements(judgements: Judgements | undefined, prefix: string): string[] {
  if (!judgements) return ['Comments, hidden flags and the never-guilty list were taken over by an earlier run.'];
  const { comments, hidden, commentsKept, shortened, neverGuilty, neverGuiltyPresent, unusable } = judgements;
  const notes = [
    commentsKept > 0 && `${figure(commentsKept)} comments left out, since the guilty has one here`,
    shortened > 0 && `${figure(shortened)} comments shortened to 80 characters`,
    unusable > 0 && `${figure(unusable)} entries without a function or module, or with too long a name, left out`,
  ].filter(Boolean);
  return [
    `${prefix}Guilties: ${figure(comments)} comments, ${figure(hidden)} hidden. Never-guilty list: ${figure(neverGuilty)} added, ` +
      `${figure(neverGuiltyPresent)} already on it.`,
    ...(notes.length > 0 ? [`  ${notes.join('; ')}.`] : []),
  ];
}

function adviceOn(difference: number): string {
  return difference > 0
    ? `THE COUNTS DIFFER: ${figure(difference)} records appeared behind the place that was read. Stop the old server and run this with --again.`
    : `THE COUNTS DIFFER: ${figure(-difference)} records that were read are gone from the source. Stop the old server's purge and run this with --again.`;
}

function figure(n: number): string {
  return n.toLocaleString('en');
}
