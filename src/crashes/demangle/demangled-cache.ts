import type { Demangled } from './demangled.ts';

// What an entry takes besides its text, roughly.
const ENTRY_COST = 100;

interface DemangledCache {
  get(name: string): Demangled | undefined;
  add(demangled: Demangled): void;
}

/** Remembers the names asked for last, as many as fit so many characters. */
export function createDemangledCache(maxCharacters: number): DemangledCache {
  const entries = new Map<string, Demangled>();
  let characters = 0;
  return { get, add };

  function get(name: string) {
    const found = entries.get(name);
    if (!found) return undefined;
    // A Map keeps the order of insertion: the first is the one not asked for the longest.
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
