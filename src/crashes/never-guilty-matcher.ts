import { type Glob, globOf } from './glob.ts';
import { isRuntimeLibrary, type Landmark, landmarkOf } from './landmarks.ts';
import { comparedFunction, comparedModule, type FrameName, isNoName, isUnknown } from './names.ts';

/** An entry of the never-guilty list. Of a pattern, `*` in function and module stands for any text, see `globOf`. */
export interface ListEntry extends FrameName {
  pattern: boolean;
}

/** All that is known of a frame by its names. */
export interface Look {
  /** The entry that it is on the list by. */
  entry: ListEntry | undefined;
  kind: 'function' | 'unknown' | 'no name';
  landmark: Landmark | undefined;
  /** Its module is a runtime library. */
  runtime: boolean;
  /** See `frameKey`. */
  key: number;
}

export type LookUp = (functionName: string, module: string) => Look;

/** Names longer than this are too rare to be worth remembering. */
const REMEMBERED_LENGTH = 500;
const REMEMBERED = 50_000;

/**
 * Finds frames on a list: by the very function and module, then by what both are compared by, then by pattern. Exact entries are
 * found by hash and patterns by what they begin with, so that thousands of entries cost a frame no more than a few.
 */
export function matcherOf(entries: readonly ListEntry[]): LookUp {
  const exact = entries.filter(entry => !entry.pattern);
  const byName = new Map(exact.map(entry => [keyOf(entry), entry]));
  const byComparedName = byComparedNames(exact);
  const byPattern = patternMatcher(entries.filter(entry => entry.pattern));
  const remembered = new Map<string, Look>();
  return (functionName, module) => {
    const frame = { function: functionName, module };
    const key = keyOf(frame);
    const known = remembered.get(key);
    if (known) return known;
    const compared = comparedName(frame);
    const look: Look = {
      entry: byName.get(key) ?? byComparedName.get(keyOf(compared)) ?? byPattern(frame) ?? byPattern(compared),
      kind: isUnknown(functionName) ? 'unknown' : isNoName(functionName) ? 'no name' : 'function',
      landmark: landmarkOf(compared),
      runtime: isRuntimeLibrary(compared),
      key: hashOf(compared),
    };
    if (remembered.size >= REMEMBERED) remembered.clear();
    if (key.length <= REMEMBERED_LENGTH) remembered.set(key, look);
    return look;
  };
}

/** Where several entries are compared alike, the one that is written so speaks, else the first. */
function byComparedNames(entries: readonly ListEntry[]): Map<string, ListEntry> {
  const found = new Map<string, ListEntry>();
  for (const entry of entries) {
    const key = keyOf(comparedName(entry));
    if (!found.has(key) || key === keyOf(entry)) found.set(key, entry);
  }
  return found;
}

function comparedName(frame: FrameName): FrameName {
  return { function: comparedFunction(frame.function), module: comparedModule(frame.module) };
}

/** What stacks that hold a frame of such a name are found by, as far as names are compared. Different names may have one key. */
export function frameKey(frame: FrameName): number {
  return hashOf(comparedName(frame));
}

function hashOf(frame: FrameName): number {
  return Bun.hash.crc32(keyOf(frame)) | 0;
}

function keyOf(frame: FrameName): string {
  return `${frame.function}\n${frame.module}`;
}

interface Pattern {
  entry: ListEntry;
  function: Glob;
  module: Glob;
}

/** How much of a function's beginning patterns are found by. */
const PREFIX_LENGTH = 12;

/** Patterns whose function begins with a text are found by it, other ones by their module, and those with neither are all tried. */
function patternMatcher(entries: readonly ListEntry[]): (frame: FrameName) => ListEntry | undefined {
  const byPrefix = new Map<string, Pattern[]>();
  const byModule = new Map<string, Pattern[]>();
  const others: Pattern[] = [];
  for (const entry of entries) {
    const pattern = { entry, function: globOf(entry.function), module: globOf(entry.module) };
    const { prefix } = pattern.function;
    if (prefix !== '') addTo(byPrefix, prefix.slice(0, PREFIX_LENGTH), pattern);
    else if (!pattern.module.hasStar) addTo(byModule, pattern.module.prefix, pattern);
    else others.push(pattern);
  }
  const lengths = [...new Set([...byPrefix.keys()].map(prefix => prefix.length))].sort((a, b) => b - a);
  return frame => {
    for (const length of lengths) {
      if (length > frame.function.length) continue;
      const found = findIn(byPrefix.get(frame.function.slice(0, length)), frame);
      if (found) return found;
    }
    return findIn(byModule.get(frame.module), frame) ?? findIn(others, frame);
  };
}

function addTo(index: Map<string, Pattern[]>, key: string, pattern: Pattern) {
  const bucket = index.get(key);
  if (bucket) bucket.push(pattern);
  else index.set(key, [pattern]);
}

function findIn(patterns: Pattern[] | undefined, frame: FrameName): ListEntry | undefined {
  return patterns?.find(({ function: name, module }) => name.matches(frame.function) && module.matches(frame.module))
    ?.entry;
}
