import type { Random } from './random.ts';

/** The facts about machine and time that a payload may mention; one object is reused for every record. */
export interface Scene {
  random: Random;
  pid: number;
  /** In seconds. */
  time: number;
  uptime: number;
  kernel: string;
  hardware: string;
  processor: string;
  cpu: number;
  bank: number;
  from: string;
  to: string;
}

interface Slot {
  name: string;
  plus: number;
  after: string;
}

/** A payload that was parsed once, so that writing it takes only a few concatenations. */
export interface Template {
  start: string;
  slots: Slot[];
}

/**
 * Parses a text with `{slots}`: the fields of a scene, `{pid+3}`, and random ones: `{hex16}`, `{hex8}`, `{hex4}`,
 * `{number}` up to 99, `{number+9}` up to 9.
 */
export function template(text: string): Template {
  const parts = text.split(/\{([a-z]+(?:16|8|4)?)(?:\+(\d+))?\}/);
  const slots: Slot[] = [];
  for (let part = 1; part < parts.length; part += 3) {
    slots.push({ name: parts[part]!, plus: Number(parts[part + 1] ?? 0), after: parts[part + 2]! });
  }
  return { start: parts[0]!, slots };
}

export function render({ start, slots }: Template, scene: Scene): string {
  let text = start;
  for (let index = 0; index < slots.length; index++) {
    const slot = slots[index]!;
    text += slotText(slot, scene) + slot.after;
  }
  return text;
}

function slotText(slot: Slot, scene: Scene): string {
  switch (slot.name) {
    case 'pid':
      return String(scene.pid + slot.plus);
    case 'time':
      return String(scene.time + slot.plus);
    case 'uptime':
      return String(scene.uptime);
    case 'kernel':
      return scene.kernel;
    case 'hardware':
      return scene.hardware;
    case 'processor':
      return scene.processor;
    case 'cpu':
      return String(scene.cpu);
    case 'bank':
      return String(scene.bank);
    case 'from':
      return scene.from;
    case 'to':
      return scene.to;
    case 'number':
      return String(1 + scene.random.below(slot.plus || 99));
    case 'hex4':
      return (0x10000 + (scene.random.u32() >>> 16)).toString(16).slice(1);
    case 'hex8':
      return hex8(scene.random.u32());
    case 'hex16':
      return hex8(scene.random.u32()) + hex8(scene.random.u32());
    default:
      throw new Error(`no such slot in a sample payload: {${slot.name}}`);
  }
}

function hex8(word: number): string {
  return word.toString(16).padStart(8, '0');
}
