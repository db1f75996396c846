import type { Fragment, Queryable } from '../db/connect.ts';
import { splitClassifications } from './classification.ts';
import { anyClassificationLike } from './classification-sql.ts';

/** What to narrow a list of records to. Texts are exact but for `classification`. */
export interface RecordFilter extends CountedFilter {
  machineId?: string | undefined;
  eventId?: string | undefined;
  arch?: string | undefined;
  kernelVersion?: string | undefined;
  hostType?: string | undefined;
  /** '-' stands for records that do not tell it. */
  cpuModel?: string | undefined;
  /** Regular expressions of PostgreSQL that the payload must, and must not, match. */
  payload?: string | undefined;
  notPayload?: string | undefined;
  /** Crash records with this backtrace, see GET /api/guilties/ID/backtraces. */
  stackId?: number | undefined;
  /** Crash records that are put down to this guilty now, or to the one whose alias it is. */
  guiltyId?: number | undefined;
  /** Received at this moment or later, and before that one. */
  receivedFrom?: Date | undefined;
  receivedBefore?: Date | undefined;
  /** Received within the last so many seconds. */
  receivedWithin?: number | undefined;
  /** Captured after this moment, Unix seconds. */
  capturedAfter?: number | undefined;
  /** What a parser made of the payload: values by their keys, `a.b` for b within a. A list fits where it has the value. */
  parsed?: Record<string, string> | undefined;
  fromId?: number | undefined;
  beforeId?: number | undefined;
}

/** What the counters tell apart as well. */
export interface CountedFilter {
  systemName?: string | undefined;
  build?: string | undefined;
  /** Whole, or `DOMAIN/*`, or `DOMAIN/PROBE/*`; `*` for other parts as well; several with commas between them. */
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
 * Of `records r`, that crash analysis and parsers made of it what the filter says; `within` narrows down the rows that these
 * stored, of a table that is called so.
 */
export function analysisConditions(sql: Queryable, filter: RecordFilter, within: (table: Fragment) => Fragment) {
  return joined(sql, [crashCondition(sql, filter, within(sql`c`)), parsedCondition(sql, filter, within(sql`p`))]);
}

/** Whether a filter asks for what `analysisConditions` is about. */
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

/** Data that have a value under a key: as text and as the number, boolean or null that it may be, each also as one of a list. */
function candidates(key: string, value: string): string[] {
  const scalar = /^(-?(0|[1-9]\d{0,20})(\.\d{1,24})?(e[+-]\d{1,3})?|true|false|null)$/.test(value);
  const values = [JSON.stringify(value), ...(scalar ? [value] : [])];
  return values
    .flatMap(json => [json, `[${json}]`])
    .map(json => key.split('.').reduceRight((inner, part) => `{${JSON.stringify(part)}:${inner}}`, json));
}

/** Conditions on `build_counts r`, whose columns are called alike. */
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
  // A range, since a plan that is made before the prefix is known can use an index for that alone.
  const prefix = name.slice(0, -1);
  return sql`r.classification >= ${prefix} and r.classification < ${`${prefix.slice(0, -1)}0`}`;
}

function joined(sql: Queryable, conditions: Condition[]) {
  return conditions
    .filter(condition => condition !== false)
    .reduce((all, condition) => sql`${all} and ${condition}`, sql`true`);
}
