import { type Frame, NO_SYMBOL } from './frame.ts';

const HEAD = /^#([0-9]{1,9}) /;
const MODULE_START = ' - [';
const MODULE_END = /\](?=$|\+0x| - )/;
const SOURCE_START = ' - ';
/** The client writes this if it knows neither function nor module. */
const NOTHING_KNOWN = '(no symbols)';
const OFFSET = /^\+(0x[0-9a-fA-F]+)/;

/** Reads one line of a backtrace; null for any other line. */
export function parseFrame(line: string): Frame | null {
  const head = line[0] === '#' ? HEAD.exec(line) : null;
  if (!head) return null;
  const number = Number(head[1]);
  const start = head[0].length;
  const moduleEnd = line.lastIndexOf(']');
  const moduleStart = line.lastIndexOf(MODULE_START, moduleEnd - MODULE_START.length);
  if (moduleEnd < 0 || moduleStart <= start) {
    const rest = line.slice(start + NOTHING_KNOWN.length);
    return line.startsWith(NOTHING_KNOWN, start) ? frameOf(number, NO_SYMBOL, '', rest) : null;
  }
  const { module, rest } = splitModule(line.slice(moduleStart + MODULE_START.length));
  const name = line.slice(start, moduleStart);
  return frameOf(number, name === NOTHING_KNOWN ? NO_SYMBOL : name, module, rest);
}

function frameOf(number: number, name: string, module: string, rest: string): Frame {
  return {
    number,
    function: name,
    mangled: name.length > 2 && name.endsWith('()') ? name.slice(0, -2) : null,
    module,
    offset: OFFSET.exec(rest)?.[1] ?? null,
    source: sourceOf(rest),
    unreliable: name.startsWith('? '),
    unknown: name === NO_SYMBOL,
  };
}

/** A path may contain brackets: the one that closes the module is followed by the end, an offset or the source. */
function splitModule(text: string): { module: string; rest: string } {
  const end = MODULE_END.exec(text)?.index ?? text.lastIndexOf(']');
  return { module: text.slice(0, end), rest: text.slice(end + 1) };
}

function sourceOf(rest: string): string | null {
  const start = rest.indexOf(SOURCE_START);
  return start < 0 ? null : rest.slice(start + SOURCE_START.length).trim() || null;
}
