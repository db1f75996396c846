import type { Demangled } from './demangled.ts';

// Roughly what an entry takes besides its text.
const ENTRY_COST = 100;

interface DemangledCache {
  get(name: string): Demangled | undefined;
  add(demangled: Demangled): void;
}

/** Caches the most recently used names, up to this many characters. */
export function createDemangledCache(maxCharacters: number): DemangledCache {
  const entries = new Map<string, Demangled>();
  let characters = 0;
  return { get, add };

  function get(name: string) {
    const found = entries.get(name);
    if (!found) return undefined;
    // A Map keeps the order of insertion, so the first entry is the least recently used.
    entries.delete(name);
    entries.set(name, found);
    return found;
  }

  function add(demangled: Demangled) {
    remove(entries.get(demangled.name));
    entries.set(demangled.name, demangled);
    characters += cost(demangled);
    while (characters > maxCharacters) remove(entries.values().next().value);
  }

  function remove(demangled: Demangled | undefined) {
    if (!demangled) return;
    entries.delete(demangled.name);
    characters -= cost(demangled);
  }
}

function cost({ name, demangled }: Demangled): number {
  return name.length + demangled.length + ENTRY_COST;
}
