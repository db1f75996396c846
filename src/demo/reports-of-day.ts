import { isAwake, type Machines, platformOf, releaseAt } from './machines.ts';
import { mix, Random } from './random.ts';
import { HOUR, MOST_CRASHES, type Release } from './releases.ts';
import { type DayPlan, partOfDay } from './rhythm.ts';

const GOLDEN = 0.618034;
/** The chance that a program crashes on a machine on a day, as usual. */
export const CRASHES_A_DAY = 0.03;
/** A few machines crash far more often than others. */
export const PRONE = { share: 0.02, factor: 5 };
/** A program that crashes is started again, and crashes again: so many records more, on average. */
const REPEATS = 3;
/** Where there are too few records for all machines, so large a part of them goes to heartbeats and crashes. */
const MOST = 0.8;

/** What a machine does on a day beside anything else. */
type Event = { kind: 'heartbeat' | 'crash'; machine: number };

/** Shares the records of a day out between the heartbeat that each machine sends, crashes, and all others. */
export class ReportsOfDay {
  readonly #machines: Machines;
  readonly #random: Random;
  readonly #day: number;
  readonly #beats: Uint32Array;
  /** Machines that crash, if the build they run then is as bad as any. */
  readonly #crashing: number[] = [];
  /** Crashes that are repeated. */
  readonly #repeated: number[] = [];
  #beat = 0;
  #crash = 0;
  #left: number;

  constructor(machines: Machines, plan: DayPlan, random: Random) {
    this.#machines = machines;
    this.#random = random;
    this.#day = plan.start;
    this.#left = plan.count;
    const part = partOfDay(plan.end - plan.start);
    const awake = machinesAwake(machines, plan.start);
    const expected = awake.length * part * (1 + CRASHES_A_DAY * MOST_CRASHES);
    const share = part * Math.min(1, (MOST * plan.count) / Math.max(1, expected));
    this.#beats = awake.subarray(0, Math.floor(awake.length * share));
    for (const machine of awake) {
      const chance = CRASHES_A_DAY * MOST_CRASHES * share * (isProne(machines, machine) ? PRONE.factor : 1);
      if (random.fraction() < chance) this.#crashing.push(machine);
    }
    shuffle(this.#crashing, random);
  }

  /** What the next record tells of; undefined where it may be anything else. */
  next(at: number): Event | undefined {
    const left = this.#left--;
    if (this.#repeated.length > 0 && this.#random.below(4) > 0)
      return { kind: 'crash', machine: this.#repeated.pop()! };
    const beats = this.#beats.length - this.#beat;
    const crashes = this.#crashing.length - this.#crash;
    const place = this.#random.below(Math.max(left, beats + crashes));
    if (place < beats) return { kind: 'heartbeat', machine: this.#beats[this.#beat++]! };
    if (place >= beats + crashes) return undefined;
    const machine = this.#crashing[this.#crash++]!;
    if (this.#random.fraction() * MOST_CRASHES >= crashesOf(this.#machines, machine, at)) return undefined;
    const spare = left - beats - crashes - this.#repeated.length;
    const repeats = Math.floor(-REPEATS * Math.log(1 - this.#random.fraction()));
    for (let n = 0; n < Math.min(repeats, spare); n++) this.#repeated.push(machine);
    return { kind: 'crash', machine };
  }

  /** The same for all crashes of a machine on the day. */
  crashOf(machine: number): Random {
    return new Random(mix(this.#machines.variety[machine]! ^ mix(this.#day / HOUR)), 3);
  }
}

/** How often programs crash on a machine then; 1 is as usual. */
function crashesOf(machines: Machines, machine: number, at: number): number {
  const release: Release = releaseAt(machines, machine, at);
  return platformOf(machines, machine).amd ? release.crashesOnAmd : release.crashes;
}

function isProne({ count }: Machines, machine: number): boolean {
  return machine < count * PRONE.share;
}

/** Those that send a heartbeat on a day, neighbours far apart; others come first on each day. */
function machinesAwake(machines: Machines, day: number): Uint32Array {
  const { count } = machines;
  const awake = new Uint32Array(count);
  const stride = strideThrough(count);
  const offset = mix(day / HOUR) % count;
  let found = 0;
  for (let n = 0; n < count; n++) {
    const machine = ((n + offset) * stride) % count;
    if (isAwake(machines, machine, day)) awake[found++] = machine;
  }
  return awake.subarray(0, found);
}

function shuffle(list: number[], random: Random) {
  for (let n = list.length - 1; n > 0; n--) {
    const other = random.below(n + 1);
    [list[n], list[other]] = [list[other]!, list[n]!];
  }
}

/** A step that visits every one of `count` before any of them again, neighbours far apart. */
function strideThrough(count: number): number {
  let stride = Math.max(1, Math.floor(count * GOLDEN));
  while (greatestCommonDivisor(stride, count) !== 1) stride++;
  return stride;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
