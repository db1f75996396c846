import { type Crash, emptyCrash, type Frame, MAX_FRAMES, NO_SYMBOL, withoutDeleted } from './frame.ts';
import { fieldText, type JournalEntry } from './journal-entry.ts';
import { int32Of, linesOf } from './lines.ts';

const THREAD = /^Stack trace of thread ([0-9]{1,10})\b/;
/** `Process 4711 (app) of user 1000 dumped core.` */
const PROCESS = /^Process ([0-9]{1,10}) \((.{1,64}?)\) of user /;
const HEAD = /^ *#([0-9]{1,4}) +0x[0-9a-f]{1,16} /i;
/** Since systemd 244. */
const OFFSET = / \+ (0x[0-9a-f]{1,16})$/i;
const MOST_OFFSET = 24;
const UNKNOWN = 'n/a';
const SHARED_LIBRARY = /\.so(?:\.|$)/;

/**
 * Reads what systemd-coredump writes into the journal. The frames are those of the thread that crashed: the one that the
 * entry names (newer than systemd 259), else the first.
 */
export function readCoredump(entry: JournalEntry): Crash {
  const message = fieldText(entry, 'MESSAGE') ?? '';
  const [, pid, command] = PROCESS.exec(message) ?? [];
  const program = programOf(entry) ?? command ?? null;
  const crash: Crash = {
    ...emptyCrash(),
    program,
    pid: int32Of(fieldText(entry, 'COREDUMP_PID') ?? pid),
    signal: int32Of(fieldText(entry, 'COREDUMP_SIGNAL')),
    truncated: fieldText(entry, 'COREDUMP_TRUNCATED') === '1',
  };
  const crashed = crashedThread(entry, message);
  for (const line of linesOf(message)) {
    const thread = THREAD.exec(line);
    if (thread) {
      if (crash.thread !== null) break;
      if (crashed === undefined || thread[1] === crashed) crash.thread = int32Of(thread[1]);
      continue;
    }
    if (crash.thread === null) continue;
    const frame = parseFrame(line, program);
    if (!frame) break;
    if (crash.frames.length === MAX_FRAMES) return { ...crash, truncated: true };
    crash.frames.push(frame);
  }
  return crash;
}

/** The thread that the entry names, where its trace is there: in a container, the traces have other numbers. */
function crashedThread(entry: JournalEntry, message: string): string | undefined {
  const thread = fieldText(entry, 'COREDUMP_TID');
  return thread !== null && message.includes(`\nStack trace of thread ${thread}:`) ? thread : undefined;
}

/** An upgrade may have deleted the file of a running program, which says nothing about the program. */
export function programOf(entry: JournalEntry): string | null {
  const path = fieldText(entry, 'COREDUMP_EXE') ?? fieldText(entry, 'COREDUMP_COMM');
  return path && withoutDeleted(path);
}

/** `#0  0x00007f8df8f4986b raise (libc.so.6 + 0x3c86b)`, or null where the line is something else. */
function parseFrame(line: string, program: string | null): Frame | null {
  const head = line.endsWith(')') ? HEAD.exec(line) : null;
  if (!head) return null;
  const opening = matchingParenthesis(line);
  const name = line.slice(head[0].length, opening - 1);
  if (opening <= head[0].length || line[opening - 1] !== ' ' || name === '') return null;
  const place = line.slice(opening + 1, -1);
  const offset = OFFSET.exec(place.slice(-MOST_OFFSET));
  const unknown = name === UNKNOWN;
  return {
    number: Number(head[1]),
    function: unknown ? NO_SYMBOL : `${name}()`,
    mangled: unknown ? null : name,
    module: moduleName(offset ? place.slice(0, -offset[0].length) : place, program),
    offset: offset?.[1] ?? null,
    source: null,
    unreliable: false,
    unknown,
  };
}

/** The place of the parenthesis that the last character closes: functions and paths may have some of their own. -1: there is none. */
function matchingParenthesis(line: string): number {
  let depth = 0;
  for (let at = line.length - 1; at >= 0; at--) {
    if (line[at] === ')') depth++;
    else if (line[at] === '(' && --depth === 0) return at;
  }
  return -1;
}

/**
 * A module as the telemetrics client writes it: a library by the name of its file, the program by its path. Which of both
 * systemd-coredump writes differs by its version, and by whether it could open the file.
 */
export function moduleName(written: string, program: string | null): string {
  const path = withoutDeleted(written);
  if (path === UNKNOWN) return '';
  const file = fileOf(path);
  if (program !== null && (path === file || path[0] === '/') && file === fileOf(program)) return program;
  return SHARED_LIBRARY.test(file) ? file : path;
}

export function fileOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
