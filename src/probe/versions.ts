import type { Queryable } from '../db/connect.ts';
import { PROBE_VERSION } from './files.ts';

interface ProbeVersion {
  version: number;
  /** Heartbeats since the window began; each machine sends one a day. */
  machines: number;
}

/** The versions of the probe that machines report with. */
export interface ProbeVersions {
  /** When the window began: at most 24 hours ago, so that no machine is counted twice. */
  since: Date;
  /** Newest first. */
  versions: ProbeVersion[];
}

export async function probeVersions(sql: Queryable): Promise<ProbeVersions> {
  const [window] = await sql<{ since: Date }[]>`
    select date_bin('15 minutes', now() - interval '23 hours 45 minutes', 'epoch') as since`;
  const { since } = window!;
  const versions = await sql<ProbeVersion[]>`
    select version, sum(records)::bigint as machines
      from probe_heartbeats where quarter >= ${since}
     group by version order by version desc`;
  return { since, versions };
}

/** The machines with an older probe than this server has, by version. */
export function outdated({ versions }: ProbeVersions): ProbeVersion[] {
  return versions.filter(({ version }) => version < PROBE_VERSION);
}

/** Only the last day is needed. */
export async function forgetProbeHeartbeats(sql: Queryable) {
  await sql`delete from probe_heartbeats where quarter < now() - interval '2 days'`;
}
