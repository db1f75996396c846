import { startOfJson } from '../json-text.ts';
import { moduleName } from './coredump.ts';
import { type Crash, emptyCrash, type Frame, KERNEL, MAX_FRAMES, NO_SYMBOL } from './frame.ts';
import { readKernelText } from './kernel-text.ts';
import { callFrame, type Json, listOf, objectOf, textOf } from './ureport-json.ts';
import { javaFrames, pythonFrames, rubyFrames } from './ureport-languages.ts';

/** What is read of a µReport. */
export interface Ureport {
  reason: unknown;
  problem: Json;
  packages: Json[];
}

const MARK = '"ureport_version"';

/** Reads a µReport of ABRT as JSON; undefined where the payload is something else. */
export function readUreport(payload: string): Ureport | undefined {
  const start = startOfJson(payload);
  if (payload[start] !== '{' || !payload.includes(MARK)) return undefined;
  const report = parsed(payload.slice(start));
  if (report.ureport_version === undefined || report.problem === undefined) return undefined;
  const { reason, problem, packages } = report;
  return { reason, problem: objectOf(problem), packages: listOf(packages).map(objectOf) };
}

function parsed(json: string): Json {
  try {
    return objectOf(JSON.parse(json));
  } catch {
    return {};
  }
}

/** Reads the crash that a µReport is about. The frames are those of the thread that crashed, the innermost first. */
export function crashOfUreport({ problem }: Ureport): Crash {
  return READERS[textOf(problem.type)]?.(problem) ?? emptyCrash();
}

const READERS: Record<string, (problem: Json) => Crash> = {
  core: readCore,
  kerneloops: readOops,
  python: problem => withFrames(pythonFrames(listOf(problem.stacktrace))),
  java: problem => withFrames(javaFrames(listOf(problem.threads))),
  ruby: problem => withFrames(rubyFrames(listOf(problem.stacktrace))),
};

function readCore(problem: Json): Crash {
  const program = textOf(problem.executable) || null;
  const { signal } = problem;
  const threads = listOf(problem.stacktrace).map(objectOf);
  const thread = threads.find(({ crash_thread }) => crash_thread === true) ?? threads[0];
  const frames = withFrames(listOf(thread?.frames), frame => coreFrame(objectOf(frame), program));
  return { ...frames, program, signal: isSignal(signal) ? signal : null };
}

function coreFrame(frame: Json, program: string | null): Frame {
  const name = textOf(frame.function_name);
  const offset = frame.build_id_offset;
  return {
    ...callFrame(name === '' ? NO_SYMBOL : `${name}()`, moduleName(textOf(frame.file_name), program)),
    mangled: name || null,
    offset:
      typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0 ? `0x${offset.toString(16)}` : null,
  };
}

/** What the kernel wrote says all; what ABRT read out of it serves where that is missing. */
function readOops(problem: Json): Crash {
  const crash = readKernelText(textOf(problem.raw_oops));
  if (crash.frames.length > 0) return crash;
  return { ...withFrames(listOf(problem.frames), frame => oopsFrame(objectOf(frame))), reason: crash.reason };
}

function oopsFrame(frame: Json): Frame {
  const name = textOf(frame.function_name) || NO_SYMBOL;
  const isUnreliable = frame.reliable === false;
  return {
    ...callFrame(isUnreliable ? `? ${name}` : name, textOf(frame.module_name) || KERNEL),
    unreliable: isUnreliable,
    unknown: name === NO_SYMBOL,
  };
}

/** A crash with these frames, numbered, as many as are kept. */
function withFrames(given: Frame[]): Crash;
function withFrames(given: unknown[], frameOf: (given: unknown) => Frame): Crash;
function withFrames(given: unknown[], frameOf = (frame: unknown) => frame as Frame): Crash {
  return {
    ...emptyCrash(),
    truncated: given.length > MAX_FRAMES,
    frames: given.slice(0, MAX_FRAMES).map((frame, number) => ({ ...frameOf(frame), number })),
  };
}

function isSignal(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}
