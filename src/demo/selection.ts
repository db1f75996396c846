import type { EventKind } from './catalogue.ts';
import { isPresent, lastCheck, type Machines, newestRelease } from './machines.ts';
import type { Random } from './random.ts';
import { HOUR } from './releases.ts';

/** Decides which machine a record comes from that is neither a heartbeat nor a crash. */
export class Selection {
  readonly #machines: Machines;
  readonly #random: Random;
  readonly #dayStart: number;
  readonly #updated: Uint8Array;

  constructor(machines: Machines, random: Random, dayStart: number) {
    this.#machines = machines;
    this.#random = random;
    this.#dayStart = dayStart;
    this.#updated = new Uint8Array(machines.count);
  }

  /** Null for an update when no machine has one to report. */
  machineFor(kind: EventKind, at: number): number | null {
    switch (kind) {
      case 'update':
        return this.#justUpdated(at);
      case 'build':
        return this.#among(this.#machines.reporting, 1, at);
      case 'corrected':
      case 'SRAO':
      case 'SRAR':
      case 'UCNA':
      case 'boot':
        return this.#random.below(100) < 85 ? this.#flaky(at) : this.#among(this.#machines.metal, 1, at);
      case 'oops':
        return this.#among(this.#machines.metal, 1, at);
      case 'thermal':
        return this.#among(this.#random.below(100) < 85 ? this.#machines.hot : this.#machines.metal, 2, at);
      default:
        return this.any(at);
    }
  }

  any(at: number): number {
    let machine = 0;
    for (let attempt = 0; attempt < 6; attempt++) {
      machine = this.#random.below(this.#machines.count);
      if (isPresent(this.#machines, machine, at)) break;
    }
    return machine;
  }

  /** `bend` above 1 prefers the first ones. */
  #among(list: Uint32Array, bend: number, at: number): number {
    if (list.length === 0) return this.any(at);
    return list[Math.floor(list.length * this.#random.fraction() ** bend)]!;
  }

  #flaky(at: number): number {
    const { metal } = this.#machines;
    if (metal.length === 0) return this.any(at);
    const flaky = Math.ceil(metal.length / 150);
    return metal[Math.floor(flaky * this.#random.fraction() ** 2)]!;
  }

  #justUpdated(at: number): number | null {
    const machines = this.#machines;
    if (machines.reporting.length === 0) return null;
    for (let attempt = 0; attempt < 60; attempt++) {
      const machine = machines.reporting[this.#random.below(machines.reporting.length)]!;
      const checked = lastCheck(machines, machine, at);
      if (checked < this.#dayStart || checked > at - 1000 || this.#updated[machine] === 1) continue;
      const before = newestRelease(machines, machine, checked - machines.cadence[machine]! * HOUR);
      if (before === newestRelease(machines, machine, checked) || !isPresent(machines, machine, at)) continue;
      this.#updated[machine] = 1;
      return machine;
    }
    return null;
  }
}
