import { isPrivate } from './private-names.ts';

/** A field on a line of its own, as `journalctl -o export` and `-o verbose` write it; a value that is no text begins on the next line. */
const FIELD = /^[ \t]*([A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*(?:[=:]|$)/;
/** Names of fields, unlike those of variables in an environment. */
const OF_JOURNALS =
  /^(?:_|COREDUMP|MESSAGE|PRIORITY$|SYSLOG_|CODE_|(?:USER_|OBJECT_|.*_)?UNIT|INVOCATION_ID|TID$|ERRNO$)/i;

/** The same without the lines of private fields, each up to the next field. */
export function withoutPrivateLines(text: string): string | undefined {
  const kept: string[] = [];
  let from = 0;
  let isDropped = false;
  let changed = false;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline + 1;
    const name = FIELD.exec(text.slice(start, Math.min(end, start + LONGEST_NAME)).trimEnd())?.[1];
    if (name !== undefined && OF_JOURNALS.test(name)) {
      const drops = isPrivate(name, false);
      if (drops && !isDropped) kept.push(text.slice(from, start));
      if (!drops && isDropped) from = start;
      isDropped = drops;
      changed ||= drops;
    }
    start = end;
  }
  if (!changed) return undefined;
  if (!isDropped) kept.push(text.slice(from));
  return kept.join('');
}

/** With the blanks before it. */
const LONGEST_NAME = 128;
