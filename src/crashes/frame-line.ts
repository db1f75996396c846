import type { Frame } from './frames.ts';

const HEAD = /^#([0-9]{1,9}) /;
const MODULE_START = ' - [';
const SOURCE_START = ' - ';
const OFFSET = /^\+(0x[0-9a-fA-F]+)/;

/** One line of a backtrace, or null where it is something else. */
export function parseFrame(line: string): Frame | null {
  const head = HEAD.exec(line);
  if (!head) return null;
  const start = head[0].length;
  const moduleStart = line.lastIndexOf(MODULE_START, line.lastIndexOf(']') - MODULE_START.length);
  if (moduleStart <= start) return null;
  const { module, rest } = splitModule(line.slice(moduleStart + MODULE_START.length));
  const name = line.slice(start, moduleStart);
  return {
    number: Number(head[1]),
    function: name,
    mangled: name.length > 2 && name.endsWith('()') ? name.slice(0, -2) : null,
    module,
    offset: OFFSET.exec(rest)?.[1] ?? null,
    source: sourceOf(rest),
    unreliable: name.startsWith('? '),
    unknown: name === '???',
  };
}

/** A path may hold brackets itself: the one that closes the module stands before the end, an offset or the source. */
function splitModule(text: string): { module: string; rest: string } {
  let end = text.indexOf(']');
  while (end >= 0 && !endsModule(text, end)) end = text.indexOf(']', end + 1);
  if (end < 0) end = text.lastIndexOf(']');
  return { module: text.slice(0, end), rest: text.slice(end + 1) };
}

function endsModule(text: string, bracket: number): boolean {
  const next = bracket + 1;
  return next === text.length || text.startsWith('+0x', next) || text.startsWith(SOURCE_START, next);
}

function sourceOf(rest: string): string | null {
  const start = rest.indexOf(SOURCE_START);
  return start < 0 ? null : rest.slice(start + SOURCE_START.length).trim() || null;
}
