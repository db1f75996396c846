import { ChildLost } from '../../children/child.ts';
import { keepChild } from '../../children/keep-child.ts';
import type { Demangled, DemangleNote } from './demangled.ts';
import { createDemangledCache } from './demangled-cache.ts';
import { type DemanglerChild, DemanglerUnavailable, startDemanglerChild } from './demangler-child.ts';
import { type DemanglerAnswer, NOT_MANGLED, TOO_LONG } from './demangler-process.ts';
import { demangleRust } from './rust-symbols.ts';
import { TooLong } from './symbol-text.ts';

export interface Demangler {
  /** One result for each name, in the same order. Never rejects before `close`. */
  demangle(names: string[]): Promise<Demangled[]>;
  close(): Promise<void>;
}

const CACHE_CHARACTERS = 16_000_000;
/** So many names go to the child at once, and must share the time of one. */
const CHUNK_NAMES = 200;
/** libiberty's DEMANGLE_RECURSION_LIMIT: c++filt and libstdc++ leave longer names as they are. */
const CPP_MAX_BYTES = 1024;
const RUST_MAX_BYTES = 4096;
/** How long it takes until a child that could not be started is tried again. */
const RETRY_MS = 60_000;

/**
 * Demangles C++ and Rust names as c++filt does. C++ names go to a child process, because some of a few hundred bytes take
 * gigabytes and minutes: it is killed when one does, and started again. What follows a name (`@@GLIBC_2.34`,
 * ` [clone .cold]`) follows the demangled one. The results of the names asked for last are remembered.
 */
export function createDemangler(): Demangler {
  const cache = createDemangledCache(CACHE_CHARACTERS);
  const cppDemangler = createCppDemangler();
  let queue: Promise<unknown> = Promise.resolve();
  return {
    async demangle(names) {
      const unknown = [...new Set(names)].filter(mayBeMangled);
      const results = new Map<string, Demangled>();
      const turn = queue.then(() => demangleInto(results, unknown));
      queue = turn.catch(() => {});
      await turn;
      return names.map(name => results.get(name) ?? unchanged(name));
    },
    async close() {
      await queue;
      await cppDemangler.close();
    },
  };

  async function demangleInto(results: Map<string, Demangled>, names: string[]) {
    const fresh = names.filter(name => !remembered(name));
    for (const demangled of await demangleAll(fresh, cppDemangler)) {
      if (demangled.note !== 'unavailable') cache.add(demangled);
      results.set(demangled.name, demangled);
    }

    function remembered(name: string) {
      const found = cache.get(name);
      if (found) results.set(name, found);
      return found;
    }
  }
}

function mayBeMangled(name: string): boolean {
  return /^(_Z|_R|_GLOBAL_)/.test(name) && !/[\0\n]/.test(name);
}

function unchanged(name: string, note: DemangleNote | null = null): Demangled {
  return { name, demangled: name, note };
}

async function demangleAll(names: string[], cpp: CppDemangler): Promise<Demangled[]> {
  const rust = names.map(demangleAsRust);
  const forCpp = names.filter((_, index) => rust[index] === null);
  const cppAnswers = (await cpp.demangle(forCpp.map(name => split(name).symbol))).values();
  return names.map((name, index) => rust[index] ?? fromAnswer(name, cppAnswers.next().value!));
}

function demangleAsRust(name: string): Demangled | null {
  const { symbol, suffix } = split(name);
  if (!fits(symbol, RUST_MAX_BYTES)) return unchanged(name, 'too long');
  try {
    const demangled = demangleRust(symbol);
    if (demangled !== null) return { name, demangled: demangled + suffix, note: null };
    return symbol.startsWith('_R') ? unchanged(name) : null;
  } catch (error) {
    if (error instanceof TooLong) return unchanged(name, 'too long');
    throw error;
  }
}

/** The version or the clone that a name is followed by is no part of what was mangled. */
function split(name: string): { symbol: string; suffix: string } {
  const end = name.search(/[@ ]/);
  return end < 0 ? { symbol: name, suffix: '' } : { symbol: name.slice(0, end), suffix: name.slice(end) };
}

function fromAnswer(name: string, answer: CppAnswer): Demangled {
  if (answer === NOT_MANGLED) return unchanged(name);
  if (answer === TOO_LONG) return unchanged(name, 'too long');
  if (typeof answer !== 'string') return unchanged(name, answer.note);
  return { name, demangled: answer + split(name).suffix, note: null };
}

type CppAnswer = DemanglerAnswer | { note: DemangleNote };

interface CppDemangler {
  /** One answer for each name. One call at a time. */
  demangle(names: string[]): Promise<CppAnswer[]>;
  close(): Promise<void>;
}

function createCppDemangler(): CppDemangler {
  const child = keepChild(start, () => true);
  let retryAt = Number.NEGATIVE_INFINITY;
  return { demangle, close: child.stop };

  async function demangle(names: string[]): Promise<CppAnswer[]> {
    const answers: CppAnswer[] = [];
    for (let start = 0; start < names.length; start += CHUNK_NAMES) {
      answers.push(...(await demangleChunk(names.slice(start, start + CHUNK_NAMES))));
    }
    return answers;
  }

  /** A chunk with a name that kills the child is asked for once more, name by name. */
  async function demangleChunk(names: string[]): Promise<CppAnswer[]> {
    const asked = names.filter(isShort);
    let answers = await ask(asked);
    if (!answers) {
      answers = [];
      for (const name of asked) answers.push(...((await ask([name])) ?? [{ note: 'failed' as const }]));
    }
    const inOrder = answers.values();
    return names.map(name => (isShort(name) ? inOrder.next().value! : TOO_LONG));
  }

  async function ask(names: string[]): Promise<CppAnswer[] | undefined> {
    try {
      return await child.use(({ ask }) => ask(names));
    } catch (error) {
      if (error instanceof DemanglerUnavailable) return names.map(() => ({ note: 'unavailable' }));
      if (!(error instanceof ChildLost)) throw error;
      return names.length === 1 && error.reason === 'time' ? [{ note: 'took too long' }] : undefined;
    }
  }

  async function start(): Promise<DemanglerChild> {
    if (performance.now() < retryAt) throw new DemanglerUnavailable();
    try {
      return await startDemanglerChild();
    } catch (error) {
      retryAt = performance.now() + RETRY_MS;
      throw new DemanglerUnavailable('the demangler does not start', { cause: error });
    }
  }
}

function isShort(name: string): boolean {
  return fits(name, CPP_MAX_BYTES);
}

function fits(text: string, bytes: number): boolean {
  return text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes;
}
