import type { Frame } from './frames.ts';

const HEAD = /^#([0-9]{1,9}) /;
const MODULE_START = ' - [';
const MODULE_END = /\](?=$|\+0x| - )/;
const SOURCE_START = ' - ';
const OFFSET = /^\+(0x[0-9a-fA-F]+)/;

/** One line of a backtrace, or null where it is something else. */
export function parseFrame(line: string): Frame | null {
  if (line[0] !== '#') return null;
  const moduleEnd = line.lastIndexOf(']');
  const moduleStart = line.lastIndexOf(MODULE_START, moduleEnd - MODULE_START.length);
  const head = moduleEnd < 0 ? null : HEAD.exec(line);
  const start = head?.[0].length ?? 0;
  if (!head || moduleStart <= start) return null;
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
  const end = MODULE_END.exec(text)?.index ?? text.lastIndexOf(']');
  return { module: text.slice(0, end), rest: text.slice(end + 1) };
}

function sourceOf(rest: string): string | null {
  const start = rest.indexOf(SOURCE_START);
  return start < 0 ? null : rest.slice(start + SOURCE_START.length).trim() || null;
}
