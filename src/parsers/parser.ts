import type { WorkKind } from '../db/work-queue.ts';

export type { ParserRecord } from 'telemetricsd/parser';

/** Any JSON value. */
export type Data = string | number | boolean | null | Data[] | { [key: string]: Data };

/** A parser's result; undefined if the payload says nothing. */
export type Parsed = { [key: string]: Data } | undefined;

/** A parser that the program contains: trusted code that runs in the worker. */
export interface BuiltInParser {
  name: string;
  /** Patterns of three parts; `*` stands for any one. */
  classifications: string[];
  parse(payload: string): Parsed;
}

/** The queue of the built-in parsers. */
export const BUILT_IN_LANE = 'parse';

/** The queue of a parser. */
export type Lane = Exclude<WorkKind, 'crash'>;

export const laneOf = (parser: string): Lane => `parse:${parser}`;

/** The admin's parser of a queue; undefined for the built-in parsers. */
export const parserOf = (lane: Lane): string | undefined =>
  lane === BUILT_IN_LANE ? undefined : lane.slice(laneOf('').length);

/** A parser's claim; no two may claim the same classification. */
interface ParserClaim {
  parser: string;
  classifications: string[];
}

/** The first two conflicting claims, with a pattern of each. */
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
