import { demangleRustLegacy } from './rust-legacy.ts';
import { demangleRustV0 } from './rust-v0.ts';
import { NotMangled } from './symbol-text.ts';

/**
 * A Rust name as c++filt (binutils 2.40) prints it, with hashes and crate disambiguators; null if c++filt does not know
 * it as a Rust name. Accepts the legacy form `_ZN…17h<16 hex digits>E` and v0 `_R…`
 * (https://rust-lang.github.io/rfcs/2603-rust-symbol-name-mangling-v0.html). Throws `TooLong`. The number of steps is
 * limited, and so the time.
 */
export function demangleRust(name: string): string | null {
  try {
    if (name.startsWith('_R')) return demangleRustV0(name.slice(2));
    if (name.startsWith('_ZN') && name.includes('17h')) return demangleRustLegacy(name.slice(3));
    return null;
  } catch (error) {
    if (error instanceof NotMangled) return null;
    throw error;
  }
}
