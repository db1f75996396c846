import { type Frame, NO_SYMBOL } from './frame.ts';

/** An object of a µReport, whose members may be anything. */
export type Json = Record<string, unknown>;

export function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A frame of which no more is known than a function and a module. */
export function callFrame(name: string, module: string): Frame {
  return {
    number: 0,
    function: name,
    mangled: null,
    module,
    offset: null,
    source: null,
    unreliable: false,
    unknown: name === NO_SYMBOL,
  };
}
