import { mix } from './random.ts';

export const HOUR = 3_600_000;
export const DAY = 86_400_000;
/** Machines that update rarely still run what came out this long before the first day. */
const HISTORY = 100 * DAY;

/** A build of an operating system. */
export interface Release {
  build: string;
  at: number;
  /** Two kernels are in use with each build; `ARCH` stands for the machine's architecture. */
  kernels: readonly [string, string];
  /** How often programs crash under it; 1 is as usual. */
  crashes: number;
  /** The fault that this build carries: see `Signature.regression`. */
  regression: string | null;
  /** The same on machines with processors of AMD. */
  crashesOnAmd: number;
  /** The part of updates to it that fail. */
  failing: number;
}

/** How much more often programs crash at most. */
export const MOST_CRASHES = 5;
const FAILING = 0.01;

/** A line of releases of one operating system that a machine follows. */
export interface Track {
  os: string;
  share: number;
  x86Only: boolean;
  /** A build every day or two, taken by its machines as eagerly as it comes. */
  fast: boolean;
  releases: Release[];
  /** When the table begins, and for each hour since then the newest release. */
  origin: number;
  newestByHour: Uint16Array;
}

type Point = [build: string, when: number, kernels: [string, string]];

// `when`: days before the window if negative, else a fraction of the window.
const POINT_RELEASES: [os: string, share: number, points: Point[]][] = [
  ['ubuntu', 3, [['22.04.5', -100, ['5.15.0-153-generic', '6.8.0-79-generic']]]],
  [
    'ubuntu',
    12,
    [
      ['24.04.1', -100, ['6.8.0-45-generic', '6.8.0-51-generic']],
      ['24.04.2', -60, ['6.8.0-60-generic', '6.11.0-26-generic']],
      ['24.04.3', -20, ['6.8.0-86-generic', '6.14.0-33-generic']],
      ['24.04.4', 0.4, ['6.8.0-90-generic', '6.17.0-12-generic']],
    ],
  ],
  [
    'ubuntu',
    5,
    [
      ['25.04', -100, ['6.14.0-15-generic', '6.14.0-29-generic']],
      ['25.10', -40, ['6.17.0-5-generic', '6.17.0-8-generic']],
      ['26.04', 0.55, ['6.20.0-9-generic', '6.20.0-11-generic']],
    ],
  ],
  [
    'debian',
    6,
    [
      ['12.9', -100, ['6.1.0-30-ARCH', '6.1.0-31-ARCH']],
      ['12.10', -70, ['6.1.0-32-ARCH', '6.1.0-34-ARCH']],
      ['12.11', -30, ['6.1.0-37-ARCH', '6.12.38+deb12-ARCH']],
      ['12.12', 0.3, ['6.1.0-40-ARCH', '6.12.43+deb12-ARCH']],
    ],
  ],
  [
    'debian',
    7,
    [
      ['13.0', -80, ['6.12.41+deb13-ARCH', '6.12.38+deb13-ARCH']],
      ['13.1', -35, ['6.12.43+deb13-ARCH', '6.12.48+deb13-ARCH']],
      ['13.2', 0.25, ['6.12.57+deb13-ARCH', '6.12.57+deb13-cloud-ARCH']],
      ['13.3', 0.8, ['6.12.63+deb13-ARCH', '6.16.3+deb13-ARCH']],
    ],
  ],
  [
    'fedora',
    9,
    [
      ['41', -100, ['6.14.11-200.fc41.ARCH', '6.15.10-101.fc41.ARCH']],
      ['42', -50, ['6.16.9-200.fc42.ARCH', '6.16.12-200.fc42.ARCH']],
      ['43', 0.35, ['6.17.4-300.fc43.ARCH', '6.17.7-300.fc43.ARCH']],
    ],
  ],
  ['arch', 5, [['rolling', -100, ['6.17.5-arch1-1', '6.12.56-1-lts']]]],
];

/** The release lines of the fleet, dated around the window from `start` to `end`. */
export function releaseTracks(start: number, end: number, seed: number): Track[] {
  const tracks = [
    track('clear-linux-os', 46, true, clearReleases(start, end, seed), start, end),
    track('opensuse-tumbleweed', 7, true, tumbleweedReleases(start, end, seed), start, end),
    ...POINT_RELEASES.map(([os, share, points]) =>
      track(os, share, false, pointReleases(points, start, end), start, end),
    ),
  ];
  const at = (part: number) => start + part * (end - start);
  const worst = { crashes: MOST_CRASHES, crashesOnAmd: MOST_CRASHES };
  spoil(tracks[0]!, at(0.4), 3, { ...worst, regression: 'compositor' });
  spoil(tracks[1]!, at(0.6), 4, { ...worst, regression: 'resolver' });
  spoil(tracks[0]!, at(0.2), 1, { crashes: 2, crashesOnAmd: 2 });
  spoil(tracks[0]!, at(0.6), 1, { crashesOnAmd: 4 });
  spoil(tracks[0]!, at(0.7), 1, { crashes: 0.4, crashesOnAmd: 0.4 });
  spoil(tracks[0]!, at(0.85), 1, { failing: 0.4 });
  return tracks;
}

function clearReleases(start: number, end: number, seed: number): Release[] {
  const releases: Release[] = [];
  for (let number = -80; ; number++) {
    const chance = mix(seed ^ mix(number));
    const at = start + (number * 1.25 + (chance % 100) / 170) * DAY;
    if (at > end) return releases;
    const patch = Math.floor((number + 80) / 4);
    const kernel = `6.${15 + Math.floor(patch / 11)}.${patch % 11}-${1540 + number}.native`;
    const longterm = `6.12.${30 + patch}-${1490 + number}.ltscurrent`;
    releases.push(release(String(43010 + number * 10), at, [kernel, longterm]));
  }
}

function tumbleweedReleases(start: number, end: number, seed: number): Release[] {
  const releases: Release[] = [];
  for (let day = -100; ; day++) {
    const at = (Math.floor(start / DAY) + day) * DAY + 9 * HOUR;
    if (at > end) return releases;
    const chance = mix(seed ^ mix(day + 7000));
    if (chance % 4 === 0 && day > -100) continue;
    const patch = Math.floor((day + 100) / 6);
    const version = `6.${16 + Math.floor(patch / 12)}.${patch % 12}-${1 + (chance % 2)}`;
    const build = new Date(at).toISOString().slice(0, 10).replaceAll('-', '');
    releases.push(release(build, at, [`${version}-default`, '6.12.0-160000.5-default']));
  }
}

function pointReleases(points: Point[], start: number, end: number): Release[] {
  return points.map(([build, when, kernels]) => {
    const at = when < 0 ? start + when * DAY : start + when * (end - start);
    return release(build, at, kernels);
  });
}

function release(build: string, at: number, kernels: readonly [string, string]): Release {
  return { build, at, kernels, crashes: 1, crashesOnAmd: 1, failing: FAILING, regression: null };
}

function track(os: string, share: number, fast: boolean, releases: Release[], start: number, end: number): Track {
  const origin = Math.floor((start - HISTORY) / HOUR) * HOUR;
  const newestByHour = new Uint16Array(Math.ceil((end - origin) / HOUR) + 1);
  let newest = 0;
  for (let hour = 0; hour < newestByHour.length; hour++) {
    while (newest + 1 < releases.length && releases[newest + 1]!.at <= origin + hour * HOUR) newest++;
    newestByHour[hour] = newest;
  }
  return { os, share, x86Only: os === 'clear-linux-os' || os === 'arch', fast, releases, origin, newestByHour };
}

/** Gives a fault to the release that is the newest at a moment and those that follow it. */
function spoil({ releases, origin, newestByHour }: Track, at: number, count: number, fault: Partial<Release>): void {
  const first = newestByHour[Math.floor((at - origin) / HOUR)]!;
  for (const spoiled of releases.slice(first, first + count)) Object.assign(spoiled, fault);
}
