interface Table {
  /** Partitioned by day of reception. */
  partitioned?: true;
  /** Plugins may read it. */
  plugins?: true;
  /** The time column of a table that counts received records; `retention.counters` goes by it. */
  counts?: 'day' | 'hour' | 'last_day' | 'period';
  /** Names the data in an error: no backup is restored over a table that holds some. */
  keeps?: string;
}

/**
 * Every table of the schema except its history. Tables of single machines stand before the counts made from them: in
 * this order pruning also corrects the counts.
 */
const TABLES: Record<string, Table> = {
  fleets: { plugins: true },
  records: { partitioned: true, plugins: true },
  parsed: { partitioned: true, plugins: true },
  record_days: { plugins: true, keeps: 'records' },
  recent_records: {},
  work_queue: {},
  parser_servers: {},
  imports: { keeps: 'what an import has noted' },

  uncounted: {},
  hour_counts: { plugins: true, counts: 'hour' },
  probe_heartbeats: {},
  build_counts: { plugins: true, counts: 'day' },
  platform_counts: { plugins: true, counts: 'day' },
  kernel_counts: { plugins: true, counts: 'day' },
  update_counts: { plugins: true, counts: 'day' },
  machine_check_machines: { plugins: true, counts: 'day' },
  machine_check_cpus: { plugins: true, counts: 'day' },
  machine_check_totals: {},
  machine_days: { plugins: true, counts: 'day' },
  machines_last_seen: { plugins: true, counts: 'last_day' },
  machine_counts: { plugins: true, counts: 'last_day' },
  exposed_machines: { plugins: true, counts: 'period' },
  exposure_counts: { plugins: true, counts: 'day' },
  affected_machines: { plugins: true, counts: 'period' },
  affected_counts: { plugins: true, counts: 'day' },

  never_guilty: { plugins: true },
  never_guilty_version: {},
  guilties: { plugins: true, keeps: 'guilties' },
  stacks: { plugins: true },
  attachments: {},
  crashes: { partitioned: true, plugins: true },
  stack_counts: { plugins: true, counts: 'day' },
  stack_platforms: { plugins: true, counts: 'day' },
  stack_builds: { plugins: true, counts: 'last_day' },
  stack_machines: { plugins: true, counts: 'last_day' },
  guilty_machines: { plugins: true, counts: 'last_day' },
  guilty_machine_counts: { plugins: true, counts: 'last_day' },
  recomputations: {},

  quarantine: { keeps: 'records in quarantine' },
  machine_id_secret: {},
  turned_away: {},
  users: { keeps: 'accounts' },
  tokens: { keeps: 'tokens' },
  audit: {},
  sessions: {},
  sign_in_links: {},
  sign_in_failures: {},
  oidc_sign_ins: {},
  job_outcomes: {},
  notices_sent: {},
  clock: {},
};

/** The sequences that belong to no column. */
export const SEQUENCES = ['record_ids'];

export const TABLE_NAMES = Object.keys(TABLES);

/** The tables that have this property, each with its value. */
export function tablesWith<K extends keyof Table>(what: K): [name: string, value: NonNullable<Table[K]>][] {
  return Object.entries(TABLES).flatMap(([name, { [what]: value }]) => (value === undefined ? [] : [[name, value]]));
}

export function tableNames(what: keyof Table): string[] {
  return tablesWith(what).map(([name]) => name);
}
