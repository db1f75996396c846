import type { FleetOptions } from './fleet.ts';
import type { Release, Track } from './releases.ts';
import { releaseTracks } from './releases.ts';
import { CRASHES_A_DAY, PRONE } from './reports-of-day.ts';
import { planDays } from './rhythm.ts';

/** A build of the sample fleet that is not as the others. */
export interface Fault {
  os: string;
  build: string;
  /** The build before it. */
  previous: string;
  /** How often programs crash; 1 is as usual. */
  crashes: number;
  crashesOnAmd: number;
  /** The part of updates to it that fail. */
  failing: number;
}

/** The builds of a fleet that have something to find. */
export function faultsOf({ records, days, seed, until }: Omit<FleetOptions, 'machines' | 'fleets'>): Fault[] {
  const start = planDays(records, days, until.getTime(), seed)[0]!.start;
  return releaseTracks(start, until.getTime(), seed).flatMap(track =>
    track.releases.flatMap((release, place) => (isFaulty(release) ? [faultOf(track, release, place)] : [])),
  );
}

const isFaulty = ({ crashes, crashesOnAmd, failing }: Release) => crashes !== 1 || crashesOnAmd !== 1 || failing > 0.1;

function faultOf({ os, releases }: Track, { build, crashes, crashesOnAmd, failing }: Release, place: number): Fault {
  return { os, build, previous: releases[place - 1]?.build ?? '', crashes, crashesOnAmd, failing };
}

/** What there is to find in a fleet, to be read. */
export function explainFleet(options: Omit<FleetOptions, 'machines' | 'fleets'>): string {
  const faults = faultsOf(options);
  const percent = (part: number) => `${Math.round(100 * part)} %`;
  const width = Math.max(...faults.map(({ os, build }) => `${os} ${build}`.length));
  return [
    `A program crashes on ${percent(CRASHES_A_DAY)} of the days that a machine runs, on ${percent(PRONE.share)} of the machines ${PRONE.factor} times as often.`,
    'Some crash several times then, which adds records but no machines. Not as usual are:',
    ...faults.map(fault => `  ${`${fault.os} ${fault.build}`.padEnd(width)}  ${wordsOf(fault)}`),
    '',
  ].join('\n');
}

function wordsOf({ previous, crashes, crashesOnAmd, failing }: Fault): string {
  const often = (times: number) => `${times} times as often`;
  return [
    crashes !== 1 && `programs crash ${often(crashes)}`,
    crashesOnAmd !== crashes && `programs crash ${often(crashesOnAmd)} on processors of AMD, as usual on others`,
    failing > 0.1 && `${Math.round(100 * failing)} % of the updates to it fail, as from ${previous}`,
  ]
    .filter(Boolean)
    .join('; ');
}
