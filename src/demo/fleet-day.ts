import type { Report } from '../records/record.ts';
import type { Catalogue, EventKind, Form } from './catalogue.ts';
import {
  installedKernel,
  isExternal,
  lastCheck,
  type Machines,
  machineIdAt,
  newestRelease,
  platformOf,
  releaseAt,
  uptimeAt,
} from './machines.ts';
import { hexId, mix, Random } from './random.ts';
import { HOUR, type Release } from './releases.ts';
import { ReportsOfDay } from './reports-of-day.ts';
import { Clock, type DayPlan } from './rhythm.ts';
import { Selection } from './selection.ts';
import { render, type Scene } from './template.ts';

/** A record of the sample fleet as it reached the server. */
export interface FleetRecord {
  report: Report;
  /** Milliseconds; never falls within a day. */
  receivedAt: number;
  fleetIndex: number;
}

/** Spooled records expire after this many seconds. */
const LONGEST_WAIT = 72_000;

/** The records of one day; nothing of them depends on another day's having been generated. */
export function* dayRecords(plan: DayPlan, machines: Machines, catalogue: Catalogue): Generator<FleetRecord> {
  const { start, first, count } = plan;
  const random = new Random(machines.seed, 2 + first + start / HOUR);
  const clock = new Clock(plan);
  const reports = new ReportsOfDay(machines, plan, random);
  const selection = new Selection(machines, random, start);
  const captures = new Captures(machines, start / 1000);
  const scene = emptyScene(random);
  for (let index = 0; index < count; index++) {
    const receivedAt = clock.at((index + random.fraction()) / count);
    const event = reports.next(receivedAt);
    let kind: EventKind = event?.kind ?? catalogue.kinds[random.u32() & (catalogue.kinds.length - 1)]!;
    let machine = event?.machine ?? selection.machineFor(kind, receivedAt);
    if (machine === null) {
      kind = 'hello';
      machine = selection.any(receivedAt);
    }
    const checked = kind === 'update' ? lastCheck(machines, machine, receivedAt) / 1000 : 0;
    const isFailed = kind === 'update' && failsToUpdate(machines, machine, checked, start / 1000, random);
    const received = Math.floor(receivedAt / 1000);
    const captured = isFailed
      ? captures.take(machine, received, Math.floor(checked) - BEFORE_CHECK)
      : captures.take(machine, received, Math.max(Math.ceil(checked), received - waited(random, kind)));
    const release = releaseAt(machines, machine, captured * 1000);
    fillScene(scene, machines, machine, kind, captured, release);
    if (isFailed) {
      scene.from = release.build;
      scene.to = newestRelease(machines, machine, checked * 1000).build;
    }
    const os = machines.tracks[machines.track[machine]!]!.os;
    const form = isFailed
      ? catalogue.failedUpdate
      : formFor(catalogue, kind, os, release, event?.kind === 'crash' ? reports.crashOf(machine) : random);
    yield {
      report: reportOf(machines, machine, captures.format, captured, first + index, release, form, scene),
      receivedAt,
      fleetIndex: machines.fleet[machine]!,
    };
  }
}

/** A failed update is tried again, so many seconds later. */
const BEFORE_CHECK = 60;

/** Whether the update that a machine last made was tried in vain before, on the same day. */
function failsToUpdate(
  machines: Machines,
  machine: number,
  checked: number,
  dayStart: number,
  random: Random,
): boolean {
  const { failing } = newestRelease(machines, machine, checked * 1000);
  return random.fraction() < failing && machines.format[machine] === 4 && checked - BEFORE_CHECK > dayStart;
}

/** How long a record waited on its machine, in seconds. */
function waited(random: Random, kind: EventKind): number {
  const chance = random.below(1000);
  if (chance >= 18 || kind === 'update') return chance % 4;
  return 120 + Math.floor((LONGEST_WAIT - 120) * random.fraction() ** 3);
}

/**
 * Gives out times of capture. Records without an event id must differ in theirs, or they would count as one record
 * sent twice: each machine's are strictly ascending and lie within the day of reception.
 */
class Captures {
  format: Report['recordFormatVersion'] = 4;
  readonly #machines: Machines;
  readonly #dayStart: number;
  readonly #last: Float64Array;

  constructor(machines: Machines, dayStart: number) {
    this.#machines = machines;
    this.#dayStart = dayStart;
    this.#last = new Float64Array(machines.count).fill(dayStart - 1);
  }

  /** Also sets `format`: a machine that has no free second left sends a record with an event id. */
  take(machine: number, received: number, wanted: number): number {
    this.format = this.#machines.format[machine] as Report['recordFormatVersion'];
    if (this.format === 4) return wanted;
    const captured = Math.max(wanted, this.#dayStart, this.#last[machine]! + 1);
    if (captured <= received) {
      this.#last[machine] = captured;
      return captured;
    }
    this.format = 4;
    return wanted;
  }
}

function formFor(catalogue: Catalogue, kind: EventKind, os: string, release: Release, random: Random): Form {
  if (kind !== 'crash') {
    const forms = catalogue.forms[kind];
    return forms[random.below(forms.length)]!;
  }
  if (release.regression !== null && random.below(100) < 70) return catalogue.regressions.get(release.regression)!;
  const crashes = catalogue.crashesByOs.get(os)!;
  return crashes[random.below(crashes.length)]!;
}

function emptyScene(random: Random): Scene {
  return {
    random,
    pid: 0,
    time: 0,
    uptime: 0,
    kernel: '',
    hardware: '',
    processor: '',
    cpu: 0,
    bank: 0,
    from: '',
    to: '',
  };
}

function fillScene(
  scene: Scene,
  machines: Machines,
  machine: number,
  kind: EventKind,
  captured: number,
  release: Release,
): void {
  const { random } = scene;
  const variety = machines.variety[machine]!;
  scene.pid = 300 + random.below(random.below(4) === 0 ? 400_000 : 30_000);
  scene.time = captured;
  scene.uptime = uptimeAt(machines, machine, captured);
  scene.kernel = installedKernel(machines, machine, release);
  const { hardware, processor } = platformOf(machines, machine);
  scene.hardware = hardware;
  scene.processor = processor;
  // A broken part stays the same part.
  const part = random.below(10) === 0 ? random.u32() : mix(variety ^ 0x6d);
  scene.cpu = part % 16;
  scene.bank = (part >>> 4) % 20;
  if (kind === 'update') {
    const checked = lastCheck(machines, machine, captured * 1000);
    scene.from = newestRelease(machines, machine, checked - machines.cadence[machine]! * HOUR).build;
    scene.to = release.build;
  }
}

function reportOf(
  machines: Machines,
  machine: number,
  format: Report['recordFormatVersion'],
  captured: number,
  number: number,
  release: Release,
  form: Form,
  scene: Scene,
): Report {
  const platform = platformOf(machines, machine);
  const variety = machines.variety[machine]!;
  const payload = render(form.payload, scene);
  return {
    recordFormatVersion: format,
    classification: form.classification,
    severity: form.severity,
    machineId: machineIdAt(machines, machine, captured * 1000),
    capturedAt: captured + machines.clockError[machine]!,
    arch: platform.arch,
    hostType: platform.hostType,
    build: release.build,
    kernelVersion: scene.kernel,
    payloadFormatVersion: format >= 2 ? 1 : null,
    systemName: format >= 2 ? machines.tracks[machines.track[machine]!]!.os : '',
    boardName: format >= 3 ? platform.boardName : null,
    cpuModel: format >= 3 ? platform.cpuModels[variety % platform.cpuModels.length]! : null,
    biosVersion: format >= 3 ? platform.biosVersions[(variety >>> 8) % platform.biosVersions.length]! : null,
    eventId: format === 4 ? hexId(number, 0x65, machines.seed ^ 0x7664) : null,
    external: isExternal(machines, machine),
    // The clients that know event ids end every payload with one more line feed.
    payload: format === 4 ? `${payload}\n` : payload,
  };
}
