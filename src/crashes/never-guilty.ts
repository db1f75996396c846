import type { IsNeverGuilty } from './guilty.ts';

/** A function that analysts never want to blame, as frames show it: demangled, with `()` in user space. */
export interface NeverGuilty {
  function: string;
  module: string;
}

/** Tells whether a frame is on the list: function and module must both be exactly the same. */
export function neverGuiltyMatcher(entries: Iterable<NeverGuilty>): IsNeverGuilty {
  const functionsByModule = new Map<string, Set<string>>();
  for (const { function: name, module } of entries) {
    const functions = functionsByModule.get(module) ?? new Set();
    functionsByModule.set(module, functions.add(name));
  }
  return (name, module) => functionsByModule.get(module)?.has(name) ?? false;
}
