import { catalogue } from './catalogue.ts';
import { dayRecords, type FleetRecord } from './fleet-day.ts';
import { drawMachines } from './machines.ts';
import { releaseTracks } from './releases.ts';
import { planDays } from './rhythm.ts';

/** One day of the fleet: its records in the order they were received. */
export interface FleetDay {
  /** `YYYY-MM-DD`, UTC. */
  day: string;
  /** Generated as they are taken, and the same each time. */
  records(): Iterable<FleetRecord>;
}

export interface FleetOptions {
  records: number;
  machines: number;
  days: number;
  seed: number;
  until: Date;
  fleets: number;
}

/** A believable fleet over the last `days` UTC days, the last one cut at `until`; equal options give equal records. */
export function sampleFleet(options: FleetOptions): FleetDay[] {
  const until = options.until.getTime();
  const plans = planDays(options.records, options.days, until, options.seed);
  const start = plans[0]!.start;
  const tracks = releaseTracks(start, until, options.seed);
  const machines = drawMachines(options, tracks, start);
  const forms = catalogue(new Set(tracks.map(({ os }) => os)));
  return plans.map(plan => ({
    day: new Date(plan.start).toISOString().slice(0, 10),
    records: () => dayRecords(plan, machines, forms),
  }));
}
