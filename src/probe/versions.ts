import type { Queryable } from '../db/connect.ts';
import { PROBE_VERSION } from './files.ts';

interface ProbeVersion {
  version: number;
  /** Heartbeats since the window began: one a day from each machine. */
  machines: number;
}

/** Which versions of the probe machines report with. */
export interface ProbeVersions {
  /** The window begins here, at most 24 hours ago, so that no machine is in it twice. */
  since: Date;
  /** The newest first. */
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

/** The machines whose probe is older than the one that this server carries, by its version. */
export function outdated({ versions }: ProbeVersions): ProbeVersion[] {
  return versions.filter(({ version }) => version < PROBE_VERSION);
}

/** Only the last day is looked at. */
export async function forgetProbeHeartbeats(sql: Queryable) {
  await sql`delete from probe_heartbeats where quarter < now() - interval '2 days'`;
}
