import type { Data, Parsed } from '../parser.ts';

const LONGEST = 1_000;

/** Finds lines that begin with one of the labels; returns the first value of each, by label. */
export function labelled(payload: string, labels: Record<string, RegExp>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [key, label] of Object.entries(labels)) {
    const [, value] = label.exec(payload) ?? [];
    if (value?.trim()) found[key] = value.trim().slice(0, LONGEST);
  }
  return found;
}

export function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Drops undefined values; undefined if none is left. */
export function known(data: Record<string, Data | undefined>): Parsed {
  const entries = Object.entries(data).filter((entry): entry is [string, Data] => entry[1] !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
