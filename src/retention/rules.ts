import type { Config } from '../config/settings.ts';
import { type ClassificationTest, classificationTest } from '../records/classification.ts';

/** Records that retention can't tell apart, `machineId` being one that a rule names, else null. */
export interface RecordGroup {
  classification: string;
  severity: number;
  machineId: string | null;
}

interface Rule {
  /** As in the configuration: `classification "org.clearlinux/mce/*"`. */
  name: string;
  /** 0: for ever. */
  days: number;
  matches(group: RecordGroup): boolean;
}

export interface Rules {
  defaultDays: number;
  list: Rule[];
  /** The machine ids that rules name. */
  machineIds: string[];
}

const DEFAULT_RULE = 'no rule, so retention.days';

/** The rules of the configuration, in the order in which they are applied. */
export function rulesOf({ retention }: Pick<Config, 'retention'>): Rules {
  const list = [
    ...rulesBy(retention.severity, 'severity', key => group => group.severity === Number(key)),
    ...rulesBy(retention.classification, 'classification', key => {
      const fits: ClassificationTest = classificationTest([key]);
      return group => fits(group.classification);
    }),
    ...rulesBy(retention.machine_id, 'machine_id', key => group => group.machineId === key),
  ];
  return { defaultDays: retention.days, list, machineIds: Object.keys(retention.machine_id) };
}

function rulesBy(given: Record<string, number>, kind: string, test: (key: string) => Rule['matches']): Rule[] {
  return Object.entries(given).map(([key, days]) => ({
    name: `${kind} ${kind === 'severity' ? key : JSON.stringify(key)}`,
    days,
    matches: test(key),
  }));
}

/**
 * The rule that takes records so many days old: each rule with days takes its matches that are older, and what no rule
 * at all matches goes by the default. So a rule that keeps for ever does not protect from one that is shorter.
 */
export function ruleThatTakes(rules: Rules, group: RecordGroup, ageDays: number): string | undefined {
  const matching = rules.list.filter(rule => rule.matches(group));
  const due = matching.find(rule => isOver(rule.days, ageDays));
  if (due) return due.name;
  return matching.length === 0 && isOver(rules.defaultDays, ageDays) ? DEFAULT_RULE : undefined;
}

function isOver(days: number, ageDays: number) {
  return days > 0 && ageDays > days;
}

/** Whether some rule keeps such records for ever and none ever takes them. */
export function isKeptForEver(rules: Rules, group: RecordGroup): boolean {
  const matching = rules.list.filter(rule => rule.matches(group));
  return matching.length > 0 && matching.every(rule => rule.days === 0);
}

/** What of the rules is in force for records so many days old: the same text means that nothing else is to go. */
export function stateAt(rules: Rules, ageDays: number): string {
  const due = rules.list.filter(rule => isOver(rule.days, ageDays)).map(rule => rule.name);
  // Only the default asks what the other rules match.
  const byDefault = isOver(rules.defaultDays, ageDays) && rules.list.map(rule => rule.name);
  return due.length === 0 && !byDefault ? '' : JSON.stringify([due, byDefault]);
}
