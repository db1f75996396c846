import { dlopen, FFIType, type Pointer, toArrayBuffer } from 'bun:ffi';
import { DEMANGLED_MAX_BYTES, TooLong } from './symbol-text.ts';
import { spellOutTypedefs } from './typedefs.ts';

/** Room for the longest name and its final NUL; a longer result is too long. */
const OUTPUT_BYTES = DEMANGLED_MAX_BYTES + 1;
const OUT_OF_MEMORY = -1;

export type CxaDemangle = (name: string) => string | null;

/**
 * Opens `__cxa_demangle` of the system's libstdc++, set up to print what c++filt prints. The returned function takes a
 * name that begins with `_Z` or `_GLOBAL_`, returns null if it is not a mangled name, and throws `TooLong`. A name of a
 * few hundred bytes can keep it busy for minutes and fill all memory.
 */
export function openCxaDemangle(): CxaDemangle {
  const { __cxa_demangle } = dlopen('libstdc++.so.6', {
    __cxa_demangle: { args: [FFIType.ptr, FFIType.ptr, FFIType.ptr, FFIType.ptr], returns: FFIType.ptr },
  }).symbols;
  const output = openOutput();
  const status = new Int32Array(1);
  return name => {
    const result = __cxa_demangle(Buffer.from(`${name}\0`), output.address, output.size, status) as Pointer | null;
    if (status[0] === OUT_OF_MEMORY) throw new TooLong();
    return result === null ? null : spellOutTypedefs(name, output.read(result));
  };
}

/** `__cxa_demangle` requires memory from malloc: for a longer name it frees this memory and returns another. */
function openOutput() {
  const { malloc, free } = dlopen('libc.so.6', {
    malloc: { args: [FFIType.u64], returns: FFIType.ptr },
    free: { args: [FFIType.ptr], returns: FFIType.void },
  }).symbols;
  const size = new BigUint64Array(1);
  let address: Pointer;
  let bytes: Buffer;
  allocate();
  return {
    size,
    get address() {
      return address;
    },
    read(result: Pointer): string {
      if (result !== address) {
        free(result as Pointer);
        allocate();
        throw new TooLong();
      }
      return bytes.toString('utf8', 0, bytes.indexOf(0));
    },
  };

  function allocate() {
    size[0] = BigInt(OUTPUT_BYTES);
    address = malloc(size[0]) as Pointer;
    bytes = Buffer.from(toArrayBuffer(address, 0, OUTPUT_BYTES));
  }
}
