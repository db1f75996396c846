import { z } from 'zod';
import { momentParam } from '../time/moment.ts';
import { choiceParam, idParam, integerParam, systemParam, textParam } from '../validation.ts';
import { splitClassifications } from './classification.ts';
import type { RecordFilter } from './filter-sql.ts';

const LAST_SECOND = 253_402_300_799;
/** As far back as a filter reaches: further, PostgreSQL has no timestamps. */
const LONGEST_DAYS = 100_000;
const SECONDS_A_DAY = 86_400;
export const API_LIMIT = 10_000;

const LONGEST_CLASSIFICATION = 140;

const MOST_PARSED = 5;
const PARSED_VALUE = 'expected at most 256 printable characters';
const PARSED_KEY =
  'expected parsed.KEY=VALUE with a key of letters, digits, "_" and "-", up to four with dots between them';

/** One or several with commas between them. */
const classificationsParam = textParam(2000).refine(
  text => !text || splitClassifications(text).every(one => [...one].length <= LONGEST_CLASSIFICATION),
  `expected at most ${LONGEST_CLASSIFICATION} characters in each classification`,
);

/** All of `parsed.KEY=VALUE`, as `gatherParsed` brings them together. */
const parsedParam = z
  .record(
    z.string().regex(/^[\w-]{1,64}(\.[\w-]{1,64}){0,3}$/, PARSED_KEY),
    z
      .string(`${PARSED_VALUE}, once`)
      .max(256, PARSED_VALUE)
      .regex(/^\P{C}*$/u, PARSED_VALUE),
    { error: issue => (issue.code === 'invalid_key' ? PARSED_KEY : undefined) },
  )
  .refine(parsed => Object.keys(parsed).length <= MOST_PARSED, `expected at most ${MOST_PARSED} of parsed.KEY`)
  .optional();

/** Parameters called `parsed.KEY` become one, `parsed`, with a value for each KEY. */
function gatherParsed(query: unknown): unknown {
  const entries = Object.entries(query as Record<string, string>).filter(([name]) => name !== 'parsed');
  const parsed = entries.filter(([name, value]) => name.startsWith('parsed.') && value !== '');
  const others = entries.filter(([name]) => !name.startsWith('parsed.'));
  if (parsed.length === 0) return Object.fromEntries(others);
  return Object.fromEntries([
    ...others,
    ['parsed', Object.fromEntries(parsed.map(([name, value]) => [name.slice('parsed.'.length), value]))],
  ]);
}

/** A query with `parsed.KEY` among its parameters. */
export function searchQuery<Shape extends z.ZodRawShape>(parameters: z.ZodObject<Shape>) {
  return z.preprocess(gatherParsed, parameters);
}

/** The filters that page and API have in common. Hardware and kernel are what links of the views lead to. */
const commonQuery = z.object({
  classification: classificationsParam,
  severity: integerParam(1, 4),
  machine_id: textParam(32),
  build: textParam(256),
  fleet: textParam(40),
  from: momentParam('beginning'),
  to: momentParam('end'),
  event_id: textParam(64),
  arch: textParam(64),
  kernel_version: textParam(200),
  host_type: textParam(256),
  cpu_model: textParam(256),
  guilty: idParam,
  stack: idParam,
  payload: textParam(500),
  not_payload: textParam(500),
  before_id: idParam,
  parsed: parsedParam,
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
    guiltyId: query.guilty,
    stackId: query.stack,
    payload: query.payload,
    notPayload: query.not_payload,
    parsed: query.parsed,
  };
}

/** The query of GET /api/records. */
export const apiQuery = searchQuery(
  commonQuery.extend({
    system_name: systemParam,
    external: choiceParam(['true', 'false']),
    created_in_days: integerParam(0, LONGEST_DAYS),
    created_in_sec: integerParam(0, LONGEST_DAYS * SECONDS_A_DAY),
    ts_capture: integerParam(0, LAST_SECOND),
    from_id: idParam,
    settled: choiceParam(['true', 'false']),
    limit: integerParam(1, API_LIMIT),
  }),
);
type ApiQuery = z.output<typeof apiQuery>;

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

/** The parameters of the records page. */
export const pageParameters = commonQuery.extend({
  os: systemParam,
  source: choiceParam(['internal', 'external']),
  per_page: integerParam(1, 1000),
  after_id: idParam,
});
export const pageQuery = searchQuery(pageParameters);
type PageQuery = z.output<typeof pageQuery>;

export function filterOfPage(query: PageQuery): RecordFilter {
  return {
    ...commonFilter(query),
    systemName: query.os,
    external: query.source === undefined ? undefined : query.source === 'external',
  };
}
