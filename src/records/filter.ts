import { z } from 'zod';
import { choiceParam, idParam, integerParam, momentParam, textParam } from '../validation.ts';
import type { RecordFilter } from './filter-sql.ts';

const LAST_SECOND = 253_402_300_799;
/** As far back as a filter reaches: further, PostgreSQL has no timestamps. */
const LONGEST_DAYS = 100_000;
const SECONDS_A_DAY = 86_400;
export const API_LIMIT = 10_000;

/** Filters that links lead to: what the views tell apart beside what the form offers. */
const hardware = {
  arch: textParam(64),
  kernel_version: textParam(128),
  host_type: textParam(256),
  cpu_model: textParam(256),
};

function hardwareOf(query: { [name in keyof typeof hardware]?: string | undefined }) {
  const { arch, kernel_version: kernelVersion, host_type: hostType, cpu_model: cpuModel } = query;
  return { arch, kernelVersion, hostType, cpuModel };
}

/** The query of GET /api/records. */
export const apiQuery = z.object({
  classification: textParam(140),
  severity: integerParam(1, 4),
  machine_id: textParam(32),
  build: textParam(256),
  system_name: textParam(64),
  fleet: textParam(40),
  external: choiceParam(['true', 'false']),
  created_in_days: integerParam(0, LONGEST_DAYS),
  created_in_sec: integerParam(0, LONGEST_DAYS * SECONDS_A_DAY),
  ts_capture: integerParam(0, LAST_SECOND),
  from: momentParam('beginning'),
  to: momentParam('end'),
  event_id: textParam(64),
  ...hardware,
  payload: textParam(500),
  not_payload: textParam(500),
  from_id: idParam,
  before_id: idParam,
  settled: choiceParam(['true', 'false']),
  limit: integerParam(1, API_LIMIT),
});
export type ApiQuery = z.output<typeof apiQuery>;

export function filterOfApi(query: ApiQuery): RecordFilter {
  const { created_in_days: days, created_in_sec: seconds } = query;
  return {
    classification: query.classification,
    severity: query.severity,
    machineId: query.machine_id,
    build: query.build?.replaceAll(/["']/g, ''),
    systemName: query.system_name,
    fleet: query.fleet,
    external: query.external === undefined ? undefined : query.external === 'true',
    receivedFrom: query.from,
    receivedBefore: query.to,
    eventId: query.event_id,
    ...hardwareOf(query),
    payload: query.payload,
    notPayload: query.not_payload,
    receivedWithin: days === undefined ? seconds : days * SECONDS_A_DAY,
    capturedAfter: query.ts_capture,
    fromId: query.from_id,
    beforeId: query.before_id,
  };
}

/** The query of the records page. */
export const pageQuery = z.object({
  os: textParam(64),
  build: textParam(256),
  classification: textParam(140),
  severity: integerParam(1, 4),
  machine_id: textParam(32),
  source: choiceParam(['internal', 'external']),
  fleet: textParam(40),
  from: momentParam('beginning'),
  to: momentParam('end'),
  event_id: textParam(64),
  ...hardware,
  payload: textParam(500),
  not_payload: textParam(500),
  stack: idParam,
  per_page: integerParam(1, 1000),
  before_id: idParam,
  after_id: idParam,
});
export type PageQuery = z.output<typeof pageQuery>;

export function filterOfPage(query: PageQuery): RecordFilter {
  return {
    systemName: query.os,
    build: query.build?.replaceAll(/["']/g, ''),
    classification: query.classification,
    severity: query.severity,
    machineId: query.machine_id,
    external: query.source === undefined ? undefined : query.source === 'external',
    fleet: query.fleet,
    receivedFrom: query.from,
    receivedBefore: query.to,
    eventId: query.event_id,
    ...hardwareOf(query),
    payload: query.payload,
    notPayload: query.not_payload,
    stackId: query.stack,
  };
}
