import { z } from 'zod';
import { choiceParam, idParam, integerParam, momentParam, textParam } from '../validation.ts';
import type { RecordFilter } from './filter-sql.ts';

const LAST_SECOND = 253_402_300_799;
/** As far back as a filter reaches: further, PostgreSQL has no timestamps. */
const LONGEST_DAYS = 100_000;
const SECONDS_A_DAY = 86_400;
export const API_LIMIT = 10_000;

/** The filters that page and API have in common. Hardware and kernel are what links of the views lead to. */
const commonQuery = z.object({
  classification: textParam(2000),
  severity: integerParam(1, 4),
  machine_id: textParam(32),
  build: textParam(256),
  fleet: textParam(40),
  from: momentParam('beginning'),
  to: momentParam('end'),
  event_id: textParam(64),
  arch: textParam(64),
  kernel_version: textParam(128),
  host_type: textParam(256),
  cpu_model: textParam(256),
  payload: textParam(500),
  not_payload: textParam(500),
  before_id: idParam,
});

function commonFilter(query: z.output<typeof commonQuery>): RecordFilter {
  return {
    classification: query.classification,
    severity: query.severity,
    machineId: query.machine_id,
    build: query.build?.replaceAll(/["']/g, ''),
    fleet: query.fleet,
    receivedFrom: query.from,
    receivedBefore: query.to,
    eventId: query.event_id,
    arch: query.arch,
    kernelVersion: query.kernel_version,
    hostType: query.host_type,
    cpuModel: query.cpu_model,
    payload: query.payload,
    notPayload: query.not_payload,
  };
}

/** The query of GET /api/records. */
export const apiQuery = commonQuery.extend({
  system_name: textParam(64),
  external: choiceParam(['true', 'false']),
  created_in_days: integerParam(0, LONGEST_DAYS),
  created_in_sec: integerParam(0, LONGEST_DAYS * SECONDS_A_DAY),
  ts_capture: integerParam(0, LAST_SECOND),
  from_id: idParam,
  settled: choiceParam(['true', 'false']),
  limit: integerParam(1, API_LIMIT),
});
export type ApiQuery = z.output<typeof apiQuery>;

export function filterOfApi(query: ApiQuery): RecordFilter {
  const { created_in_days: days, created_in_sec: seconds } = query;
  return {
    ...commonFilter(query),
    systemName: query.system_name,
    external: query.external === undefined ? undefined : query.external === 'true',
    receivedWithin: days === undefined ? seconds : days * SECONDS_A_DAY,
    capturedAfter: query.ts_capture,
    fromId: query.from_id,
    beforeId: query.before_id,
  };
}

/** The query of the records page. */
export const pageQuery = commonQuery.extend({
  os: textParam(64),
  source: choiceParam(['internal', 'external']),
  stack: idParam,
  per_page: integerParam(1, 1000),
  after_id: idParam,
});
export type PageQuery = z.output<typeof pageQuery>;

export function filterOfPage(query: PageQuery): RecordFilter {
  return {
    ...commonFilter(query),
    systemName: query.os,
    external: query.source === undefined ? undefined : query.source === 'external',
    stackId: query.stack,
  };
}
