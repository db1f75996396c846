import type { WorkKind } from '../db/work-queue.ts';

export type { ParserRecord } from 'telemetricsd/parser';

/** A value as JSON has them. */
export type Data = string | number | boolean | null | Data[] | { [key: string]: Data };

/** What a parser makes of a record; undefined: the payload tells nothing. */
export type Parsed = { [key: string]: Data } | undefined;

/** One that the program brings: trusted code, run by the worker. */
export interface BuiltInParser {
  name: string;
  /** Patterns of three parts, of which `*` stands for any. */
  classifications: string[];
  parse(payload: string): Parsed;
}

/** What waits for the parsers that the program brings. */
export const BUILT_IN_LANE = 'parse';

/** What waits for a parser of an admin. */
export type Lane = Exclude<WorkKind, 'crash'>;

export const laneOf = (parser: string): Lane => `parse:${parser}`;

/** The parser of an admin whose records wait there; undefined for those that the program brings. */
export const parserOf = (lane: Lane): string | undefined =>
  lane === BUILT_IN_LANE ? undefined : lane.slice(laneOf('').length);

/** Two of them may not take the same classification. */
interface ParserClaim {
  parser: string;
  classifications: string[];
}

/** The first two that do, with a pattern of each. */
export function conflictOf(
  claims: ParserClaim[],
): { parsers: [string, string]; patterns: [string, string] } | undefined {
  for (const [place, one] of claims.entries()) {
    for (const other of claims.slice(place + 1)) {
      for (const pattern of one.classifications) {
        const same = other.classifications.find(candidate => overlap(pattern, candidate));
        if (same !== undefined) return { parsers: [one.parser, other.parser], patterns: [pattern, same] };
      }
    }
  }
  return undefined;
}

function overlap(one: string, other: string): boolean {
  const parts = other.split('/');
  return one.split('/').every((part, index) => part === '*' || parts[index] === '*' || part === parts[index]);
}
