/** Fields of a journal entry that hold what a process was given and had open, its memory, and what names its user or its machine. */
const PRIVATE =
  /^COREDUMP(?:_ROOT|_FILENAME)?$|(?:^|_)(?:ENVIRON|CMDLINE|CWD|OPEN_FDS|HOSTNAME|USERNAME|MACHINE_ID|PROC_[A-Z0-9_]+)$/;
/** Those that nothing but a journal entry has, however they are spelled on the way. */
const OF_JOURNALS =
  /^_?COREDUMP_(?:ROOT|FILENAME|(?:\w+_)?(?:ENVIRON|CMDLINE|CWD|OPEN_FDS|HOSTNAME|USERNAME|PROC_\w+))$|^_(?:\w+_)?(?:ENVIRON|CMDLINE|CWD|HOSTNAME|MACHINE_ID)$/i;
const ESCAPED = /\\u([0-9a-f]{4})/gi;

/** Whether a field is private, by its name as JSON may write it; `isEntry`: the text around it is known as a journal entry. */
export function isPrivate(written: string, isEntry: boolean): boolean {
  const name = unescaped(written).trim();
  return OF_JOURNALS.test(name) || (isEntry && PRIVATE.test(name));
}

/** Letters in place of JSON's `\u0041`. */
export function unescaped(text: string): string {
  return text.includes('\\u')
    ? text.replaceAll(ESCAPED, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
    : text;
}
