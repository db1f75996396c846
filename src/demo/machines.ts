import { type Platform, platforms } from './hardware.ts';
import { hexId, mix, Random, weightedTable } from './random.ts';
import { DAY, HOUR, type Release, type Track } from './releases.ts';

const ID_LIFETIME = 3 * DAY;
const FIXED_NAMES = ['build-host', 'ci-runner', 'kiosk', 'lab', 'edge-gw', 'db', 'render-node'];
/** Hours between two looks for a new build; 0 never looks. */
const FAST_CADENCES = [6, 24, 24, 24, 48, 72, 168, 336, 0];
const SLOW_CADENCES = [24, 72, 168, 168, 336, 720, 1440, 0];
const DEBIAN_ARCH: Record<string, string> = { x86_64: 'amd64', aarch64: 'arm64', armv7l: 'armmp' };

const EXTERNAL = 1;
const FIXED_ID = 2;
const CUT_VALUES = 4;

/** What never changes about the machines of a fleet, a few bytes each. */
export interface Machines {
  count: number;
  seed: number;
  start: number;
  platforms: Platform[];
  tracks: Track[];
  platform: Uint8Array;
  track: Uint8Array;
  format: Uint8Array;
  traits: Uint8Array;
  cadence: Uint16Array;
  fleet: Uint16Array;
  /** A random word of its own, from which phases and variants are taken. */
  variety: Uint32Array;
  /** Minutes since the fleet's first day. */
  joined: Int32Array;
  left: Int32Array;
  /** Seconds that a wrong clock is off. */
  clockError: Float64Array;
  /** Machines whose updater reports its updates. */
  reporting: Uint32Array;
  hot: Uint32Array;
  /** Machines that can see their processor's machine checks. */
  metal: Uint32Array;
}

/** Draws the fixed attributes of every machine. */
export function drawMachines(
  { machines: count, seed, fleets, days }: { machines: number; seed: number; fleets: number; days: number },
  tracks: Track[],
  start: number,
): Machines {
  const kinds = platforms();
  const machines: Machines = {
    count,
    seed,
    start,
    platforms: kinds,
    tracks,
    platform: new Uint8Array(count),
    track: new Uint8Array(count),
    format: new Uint8Array(count),
    traits: new Uint8Array(count),
    cadence: new Uint16Array(count),
    fleet: new Uint16Array(count),
    variety: new Uint32Array(count),
    joined: new Int32Array(count),
    left: new Int32Array(count),
    clockError: new Float64Array(count),
    reporting: new Uint32Array(0),
    hot: new Uint32Array(0),
    metal: new Uint32Array(0),
  };
  const random = new Random(seed, 1);
  const platformTable = weightedTable(
    kinds.map(({ share }) => share),
    4096,
  );
  const x86Table = weightedTable(
    tracks.map(({ share }) => share),
    4096,
  );
  const otherTable = weightedTable(
    tracks.map(({ share, x86Only }) => (x86Only ? 0 : share)),
    4096,
  );
  const startSeconds = start / 1000;
  const minutes = days * 1440;
  for (let machine = 0; machine < count; machine++) {
    const platform = platformTable[random.u32() & 4095]!;
    const table = kinds[platform]!.arch === 'x86_64' ? x86Table : otherTable;
    const track = table[random.u32() & 4095]!;
    const cadences = tracks[track]!.fast ? FAST_CADENCES : SLOW_CADENCES;
    machines.platform[machine] = platform;
    machines.track[machine] = track;
    machines.format[machine] = formatFor(random.below(1000));
    machines.traits[machine] =
      (random.below(100) < 15 ? EXTERNAL : 0) +
      (random.below(100) < 2 ? FIXED_ID : 0) +
      (random.below(100) < 6 ? CUT_VALUES : 0);
    machines.cadence[machine] = cadences[random.below(cadences.length)]!;
    machines.fleet[machine] = Math.floor(fleets * random.fraction() ** 2);
    machines.variety[machine] = random.u32();
    machines.joined[machine] = random.below(100) < 12 ? random.below(minutes) : 0;
    machines.left[machine] = random.below(100) < 6 ? random.below(minutes) : minutes;
    machines.clockError[machine] = random.below(1000) < 4 ? wrongClock(random.below(5), startSeconds) : 0;
  }
  machines.reporting = those(count, machine => tracks[machines.track[machine]!]!.os === 'clear-linux-os');
  machines.hot = those(count, machine => kinds[machines.platform[machine]!]!.hot);
  machines.metal = those(count, machine => {
    const { virtual, arch } = kinds[machines.platform[machine]!]!;
    return !virtual && arch === 'x86_64';
  });
  return machines;
}

function formatFor(chance: number): number {
  if (chance < 740) return 4;
  if (chance < 915) return 3;
  return chance < 993 ? 2 : 1;
}

function wrongClock(kind: number, startSeconds: number): number {
  switch (kind) {
    case 0:
      return 172_800 - startSeconds;
    case 1:
      return 1_577_836_800 - startSeconds;
    case 2:
      return -365 * 86_400;
    case 3:
      return 7 * 3600;
    default:
      return 30 * 365 * 86_400;
  }
}

function those(count: number, wanted: (machine: number) => boolean): Uint32Array {
  const chosen = new Uint32Array(count);
  let found = 0;
  for (let machine = 0; machine < count; machine++) if (wanted(machine)) chosen[found++] = machine;
  return chosen.slice(0, found);
}

export function isExternal(machines: Machines, machine: number): boolean {
  return (machines.traits[machine]! & EXTERNAL) !== 0;
}

/** The machine's hardware as its client describes it. */
export function platformOf(machines: Machines, machine: number): Platform {
  const platform = machines.platforms[machines.platform[machine]!]!;
  const cut = (machines.traits[machine]! & CUT_VALUES) !== 0 && machines.format[machine] === 4;
  return cut ? (platform.cut ?? platform) : platform;
}

export function isPresent(machines: Machines, machine: number, at: number): boolean {
  const minute = (at - machines.start) / 60_000;
  return minute >= machines.joined[machine]! && minute <= machines.left[machine]!;
}

/** Whether the machine runs on a day, which most do on weekdays. */
export function isAwake(machines: Machines, machine: number, day: number): boolean {
  const weekday = new Date(day).getUTCDay();
  const chance = mix(machines.variety[machine]! ^ mix(day / HOUR)) % 100;
  return chance < (weekday === 0 || weekday === 6 ? 64 : 95) && isPresent(machines, machine, day + DAY / 2);
}

/** The id that the machine goes by: a new one every 3 days, unless its admin gave it a name. */
export function machineIdAt(machines: Machines, machine: number, at: number): string {
  if ((machines.traits[machine]! & FIXED_ID) !== 0) {
    const number = machine < 10 ? `0${machine}` : String(machine);
    return `${FIXED_NAMES[machines.variety[machine]! % FIXED_NAMES.length]}-${number}`;
  }
  const phase = (machines.variety[machine]! % (ID_LIFETIME / 1000)) * 1000;
  return hexId(machine, Math.floor((at + phase) / ID_LIFETIME), machines.seed ^ 0x6d61);
}

/** When the machine last looked for a new build. */
export function lastCheck(machines: Machines, machine: number, at: number): number {
  const variety = machines.variety[machine]!;
  const cadence = machines.cadence[machine]! * HOUR;
  if (cadence === 0) return machines.start - ((variety % 1000) / 1000) ** 2 * 95 * DAY;
  return at - ((at + (variety % (cadence / 1000)) * 1000) % cadence);
}

/** The build that was the newest of the machine's track at a moment. */
export function newestRelease(machines: Machines, machine: number, at: number): Release {
  const { releases, newestByHour, origin } = machines.tracks[machines.track[machine]!]!;
  const hour = Math.max(0, Math.min(newestByHour.length - 1, Math.floor((at - origin) / HOUR)));
  return releases[newestByHour[hour]!]!;
}

export function releaseAt(machines: Machines, machine: number, at: number): Release {
  return newestRelease(machines, machine, lastCheck(machines, machine, at));
}

export function installedKernel(machines: Machines, machine: number, release: Release): string {
  const kernel = release.kernels[mix(machines.variety[machine]!) & 1]!;
  if (!kernel.endsWith('ARCH')) return kernel;
  const { arch } = machines.platforms[machines.platform[machine]!]!;
  const { os } = machines.tracks[machines.track[machine]!]!;
  return kernel.slice(0, -4) + (os === 'debian' ? (DEBIAN_ARCH[arch] ?? arch) : arch);
}

/** Seconds since the machine started; it restarts at intervals of its own, from a day to about six weeks. */
export function uptimeAt(machines: Machines, machine: number, seconds: number): number {
  const word = mix(machines.variety[machine]! ^ 0x75);
  return 41 + ((seconds + (word & 0xfffff)) % (86_400 * (1 + ((word >>> 20) % 42))));
}
