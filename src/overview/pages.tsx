import { Hono } from 'hono';
import { OverviewPage } from '../../views/overview/overview.tsx';
import { newestOfSystems } from '../builds/drawn.ts';
import { topGuilties } from '../crashes/queries.ts';
import type { Sql } from '../db/connect.ts';
import { PROBE_VERSION } from '../probe/files.ts';
import { outdated, probeVersions } from '../probe/versions.ts';
import type { Site } from '../web/site.ts';
import { adoptionOf, lastArrival, machinesLately, newGuilties, recordsByHour, weekOnWeek } from './queries.ts';
import { hasStopped } from './silence.ts';

const SYSTEMS = 5;
const BUILDS_OF_A_SYSTEM = 2;
const GUILTIES = 8;
const CRASH_DAYS = 7;
const EXCESS_SHOWN_MS = 3_600_000;

/** The landing page: what happens in the fleet, at a glance. */
export function overviewPages({ sql, config, collector: { limits }, parsers, demoCommand, frame }: Site) {
  return new Hono().get('/', async c => {
    const [last, hours, machines, { adoption, drawn }, top, fresh, machineChecks, probes] = await Promise.all([
      lastArrival(sql),
      recordsByHour(sql),
      machinesLately(sql),
      readAdoption(sql),
      topGuilties(sql, { days: CRASH_DAYS, sort: 'records', limit: GUILTIES, offset: 0 }),
      newGuilties(sql, GUILTIES),
      weekOnWeek(sql, config.machine_checks.classifications),
      probeVersions(sql),
    ]);
    const made = await frame(c);
    return c.html(
      <OverviewPage
        frame={made}
        last={last && { at: last.at, stopped: hasStopped(last, made.now) }}
        excesses={limits.excesses().filter(({ lastAt }) => made.now.getTime() - lastAt.getTime() < EXCESS_SHOWN_MS)}
        parsers={parsers?.troubles() ?? []}
        probes={{ since: probes.since, outdated: outdated(probes), carried: PROBE_VERSION }}
        hours={[...hours]}
        machines={machines}
        adoption={adoption}
        drawn={drawn}
        top={[...top]}
        fresh={[...fresh]}
        machineChecks={[...machineChecks]}
        checkClassifications={config.machine_checks.classifications}
        demoCommand={demoCommand}
      />,
    );
  });
}

/** The adoption of the newest builds, for the systems with most machines. */
async function readAdoption(sql: Sql) {
  const { newest, drawn } = await newestOfSystems(sql, BUILDS_OF_A_SYSTEM);
  const systems = [...new Set(newest.map(({ os }) => os))].slice(0, SYSTEMS);
  const adoption = await adoptionOf(
    sql,
    newest.filter(({ os }) => systems.includes(os)),
  );
  return { adoption: [...adoption], drawn };
}
