import type { Fragment, Queryable } from '../db/connect.ts';
import { splitClassifications } from './classification.ts';
import { anyClassificationLike } from './classification-sql.ts';

/** Restricts a list of records. Texts match exactly, except classification. */
export interface RecordFilter extends CountedFilter {
  machineId?: string | undefined;
  eventId?: string | undefined;
  arch?: string | undefined;
  kernelVersion?: string | undefined;
  hostType?: string | undefined;
  /** '-' means records that do not name it. */
  cpuModel?: string | undefined;
  /** Regular expressions of PostgreSQL that the payload must, or must not, match. */
  payload?: string | undefined;
  notPayload?: string | undefined;
  /** Crash records with this backtrace, see GET /api/guilties/ID/backtraces. */
  stackId?: number | undefined;
  /** Crash records whose guilty now is this one, or the one it is an alias of. */
  guiltyId?: number | undefined;
  /** Received at or after the first time, and before the second. */
  receivedFrom?: Date | undefined;
  receivedBefore?: Date | undefined;
  /** Received within the last so many seconds. */
  receivedWithin?: number | undefined;
  /** Captured after this time, in Unix seconds. */
  capturedAfter?: number | undefined;
  /** Values in a parser's result by key; `a.b` means b within a. A list matches if it contains the value. */
  parsed?: Record<string, string> | undefined;
  fromId?: number | undefined;
  beforeId?: number | undefined;
}

/** The fields that counters know as well. */
export interface CountedFilter {
  systemName?: string | undefined;
  build?: string | undefined;
  /** Whole, or `DOMAIN/*`, or `DOMAIN/PROBE/*`; `*` may replace other parts too; several with commas between them. */
  classification?: string | undefined;
  severity?: number | undefined;
  external?: boolean | undefined;
  fleet?: string | undefined;
}

type Condition = Fragment | false;

/** Conditions on `records r`. */
export function recordConditions(sql: Queryable, filter: RecordFilter) {
  const { machineId, eventId, payload, notPayload, receivedFrom, receivedBefore, receivedWithin } = filter;
  const { capturedAfter, fromId, beforeId, arch, kernelVersion, hostType, cpuModel } = filter;
  return joined(sql, [
    ...counted(sql, filter),
    machineId !== undefined && sql`r.machine_id = ${machineId}`,
    eventId !== undefined && sql`r.event_id = ${eventId}`,
    arch !== undefined && sql`r.arch = ${arch}`,
    kernelVersion !== undefined && sql`r.kernel_version = ${kernelVersion}`,
    hostType !== undefined && sql`r.host_type = ${hostType}`,
    cpuModel !== undefined && sql`coalesce(nullif(r.cpu_model, ''), '-') = ${cpuModel}`,
    receivedFrom !== undefined && sql`r.received_at >= ${receivedFrom}`,
    receivedBefore !== undefined && sql`r.received_at < ${receivedBefore}`,
    receivedWithin !== undefined && sql`r.received_at > now() - make_interval(secs => ${receivedWithin})`,
    capturedAfter !== undefined && sql`r.captured_at > to_timestamp(${capturedAfter}::bigint)`,
    fromId !== undefined && sql`r.id >= ${fromId}`,
    beforeId !== undefined && sql`r.id < ${beforeId}`,
    payload !== undefined && sql`r.payload ~ ${payload}`,
    notPayload !== undefined && sql`r.payload !~ ${notPayload}`,
  ]);
}

/**
 * Conditions on `records r` about the results of crash analysis and parsers. `within` limits the rows of the named
 * result table.
 */
export function analysisConditions(sql: Queryable, filter: RecordFilter, within: (table: Fragment) => Fragment) {
  return joined(sql, [crashCondition(sql, filter, within(sql`c`)), parsedCondition(sql, filter, within(sql`p`))]);
}

/** Whether a filter needs `analysisConditions`. */
export function asksForAnalysis({ stackId, guiltyId, parsed }: RecordFilter): boolean {
  return [stackId, guiltyId, parsed].some(value => value !== undefined);
}

function crashCondition(sql: Queryable, { stackId, guiltyId }: RecordFilter, within: Fragment): Condition {
  if (stackId === undefined && guiltyId === undefined) return false;
  const wanted = joined(sql, [
    stackId !== undefined && sql`c.stack_id = ${stackId}`,
    guiltyId !== undefined &&
      sql`c.stack_id in (
        select s.id from guilties g join stacks s on s.guilty_id = coalesce(g.alias_of, g.id) where g.id = ${guiltyId})`,
  ]);
  return sql`(r.machine_id, r.received_at, r.id) in (
      select c.machine_id, c.received_at, c.id from crashes c where ${within} and ${wanted})`;
}

function parsedCondition(sql: Queryable, { parsed }: RecordFilter, within: Fragment): Condition {
  if (parsed === undefined) return false;
  const wanted = Object.entries(parsed).map(([key, value]) => {
    const either = candidates(key, value).map(json => sql`p.data @> ${json}::text::jsonb`);
    return sql`(${either.reduce((before, next) => sql`${before} or ${next}`)})`;
  });
  return sql`
    (r.machine_id, r.received_at, r.id) in (
      select p.machine_id, p.received_at, p.id from parsed p where ${within} and ${joined(sql, wanted)})`;
}

/** Every form of data with this value under a key: as text, number, boolean or null, each alone or in a list. */
function candidates(key: string, value: string): string[] {
  const scalar = /^(-?(0|[1-9]\d{0,20})(\.\d{1,24})?(e[+-]\d{1,3})?|true|false|null)$/.test(value);
  const values = [JSON.stringify(value), ...(scalar ? [value] : [])];
  return values
    .flatMap(json => [json, `[${json}]`])
    .map(json => key.split('.').reduceRight((inner, part) => `{${JSON.stringify(part)}:${inner}}`, json));
}

/** Conditions on `build_counts r`, which has the same column names. */
export function countedConditions(sql: Queryable, filter: CountedFilter) {
  return joined(sql, counted(sql, filter));
}

function counted(sql: Queryable, filter: CountedFilter): Condition[] {
  const { systemName, build, classification, severity, external, fleet } = filter;
  return [
    systemName !== undefined && sql`r.system_name = ${systemName}`,
    build !== undefined && sql`r.build = ${build}`,
    classification !== undefined && matchesClassification(sql, classification),
    severity !== undefined && sql`r.severity = ${severity}`,
    external !== undefined && sql`r.external = ${external}`,
    fleet !== undefined && sql`r.fleet_id in (select id from fleets where name = ${fleet})`,
  ];
}

function matchesClassification(sql: Queryable, text: string) {
  const names = splitClassifications(text);
  const [name = ''] = names;
  if (names.length > 1 || name.split('/').slice(0, -1).includes('*'))
    return sql`r.classification = ${anyClassificationLike(sql, names)}`;
  if (!name.endsWith('/*')) return sql`r.classification = ${name}`;
  // Written as a range, because a plan made before the prefix is known can use an index only for ranges.
  const prefix = name.slice(0, -1);
  return sql`r.classification >= ${prefix} and r.classification < ${`${prefix.slice(0, -1)}0`}`;
}

function joined(sql: Queryable, conditions: Condition[]) {
  return conditions
    .filter(condition => condition !== false)
    .reduce((all, condition) => sql`${all} and ${condition}`, sql`true`);
}
