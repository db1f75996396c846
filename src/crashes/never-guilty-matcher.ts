import { type Glob, globOf } from './glob.ts';
import { isRuntimeLibrary, type Landmark, landmarkOf } from './landmarks.ts';
import { comparedFunction, comparedModule, type FrameName, isNoName, isUnknown, stableModule } from './names.ts';

/** An entry of the never-guilty list. In a pattern, `*` stands for any text in function and module, see `globOf`. */
export interface ListEntry extends FrameName {
  pattern: boolean;
}

/** What the names of a frame say about it. */
export interface Traits {
  /** The entry of the list that it matches. */
  entry: ListEntry | undefined;
  kind: 'function' | 'unknown' | 'no name';
  landmark: Landmark | undefined;
  /** Its module is a runtime library. */
  runtime: boolean;
  /** See `frameKey`. */
  key: number;
}

export type LookUp = (functionName: string, module: string) => Traits;

/** Names longer than this are too rare to be worth remembering. */
const REMEMBERED_LENGTH = 500;
const REMEMBERED = 50_000;

/**
 * Finds frames on a list: first by function and module as they are, then as they are compared, then by pattern. Exact entries are
 * found by hash and patterns by what they begin with, so that thousands of entries cost a frame no more than a few.
 */
export function matcherOf(entries: readonly ListEntry[]): LookUp {
  const exact = entries.filter(entry => !entry.pattern);
  const byName = new Map(exact.map(entry => [keyOf(entry), entry]));
  const byComparedName = byComparedNames(exact);
  const byPattern = patternMatcher(entries.filter(entry => entry.pattern));
  const remembered = new Map<string, Traits>();
  return (functionName, module) => {
    const frame = { function: functionName, module };
    const key = keyOf(frame);
    const known = remembered.get(key);
    if (known) return known;
    const compared = comparedName(frame);
    const stable = { ...frame, module: stableModule(module) };
    const traits: Traits = {
      entry:
        byName.get(key) ??
        byComparedName.get(keyOf(compared)) ??
        byPattern(frame) ??
        (stable.module === module ? undefined : byPattern(stable)) ??
        byPattern(compared),
      kind: isUnknown(functionName) ? 'unknown' : isNoName(functionName) ? 'no name' : 'function',
      landmark: landmarkOf(compared),
      runtime: isRuntimeLibrary(compared),
      key: hashOf(compared),
    };
    if (remembered.size >= REMEMBERED) remembered.clear();
    if (key.length <= REMEMBERED_LENGTH) remembered.set(key, traits);
    return traits;
  };
}

/** Of entries that are compared alike, the one that is written like that speaks, else the first. */
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

/** Stacks that hold a frame of this name are found by this key, whatever its version or suffix. Two names may have the same key. */
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

/** So much of the beginning of a function is used to find its patterns. */
const PREFIX_LENGTH = 12;

/**
 * Patterns are found by the beginning of their function, else by their module; those that begin with a star in both are all tried, those
 * for any function once for each module.
 */
function patternMatcher(entries: readonly ListEntry[]): (frame: FrameName) => ListEntry | undefined {
  const byPrefix = new Map<string, Pattern[]>();
  const byModule = new Map<string, Pattern[]>();
  const ofWholeModules: Pattern[] = [];
  const others: Pattern[] = [];
  for (const entry of entries) {
    const pattern = { entry, function: globOf(entry.function), module: globOf(entry.module) };
    const { prefix } = pattern.function;
    if (prefix !== '') addTo(byPrefix, prefix.slice(0, PREFIX_LENGTH), pattern);
    else if (!pattern.module.hasStar) addTo(byModule, pattern.module.prefix, pattern);
    else if (entry.function === '*') ofWholeModules.push(pattern);
    else others.push(pattern);
  }
  const wholeModules = new Map<string, ListEntry | null>();
  const byWholeModule = (frame: FrameName) => {
    const known = wholeModules.get(frame.module);
    if (known !== undefined) return known;
    const found = findIn(ofWholeModules, frame) ?? null;
    if (wholeModules.size >= REMEMBERED) wholeModules.clear();
    if (frame.module.length <= REMEMBERED_LENGTH) wholeModules.set(frame.module, found);
    return found;
  };
  const lengths = [...new Set([...byPrefix.keys()].map(prefix => prefix.length))].sort((a, b) => b - a);
  return frame => {
    for (const length of lengths) {
      if (length > frame.function.length) continue;
      const found = findIn(byPrefix.get(frame.function.slice(0, length)), frame);
      if (found) return found;
    }
    return findIn(byModule.get(frame.module), frame) ?? findIn(others, frame) ?? byWholeModule(frame) ?? undefined;
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
