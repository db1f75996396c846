const SECONDS = String.raw`\d{1,12}\.\d{1,9}`;
const SINCE_LAST = `< *[+-]?${SECONDS} *>`;
const CLOCK = String.raw`\d\d:\d\d:\d\d(?:[.,]\d{1,9})?`;
const ISO = String.raw`\d{4}-\d\d-\d\d[T ]\d\d:[\d:.,+Z-]{2,30}`;
/** `Mon Nov 30 21:00:00 2026` */
const CTIME = String.raw`\S{3,12} \S{3,12} [ \d]\d ${CLOCK} \d{4}`;
const LEVEL = '(?:emerg|alert|crit|err|warn|notice|info|debug)';

/** What `dmesg` and the kernel itself write in brackets: a time, the task or processor that wrote the line, or both as Android does. */
const IN_BRACKETS = [
  ` *(?:${SECONDS}(?:@\\d{1,4})?|${CTIME})(?: *${SINCE_LAST})?`,
  `(?: *\\+${SECONDS}|${SINCE_LAST}|${ISO}|\\S{3,12} ?\\d{1,2} \\d\\d:\\d\\d)`,
  ' *[TC]\\d{1,10}',
  '(?: ?\\d{1,4}: *[^\\]]{1,32}: *\\d{1,10}|pid:\\d{1,10},cpu\\d{1,4},[^\\]]{1,64})',
];

/** The time as syslog, logread and the forms of `journalctl -o` have it. */
const TIMES = [
  `[^\\s\\d]\\S{1,11} +\\d{1,2} (?:\\d{4} )?${CLOCK}`,
  `\\d{1,2}\\.? \\S{2,12} (?:\\d{4} )?${CLOCK}`,
  CTIME,
  ISO,
  `\\S{2,12} \\d{4}-\\d\\d-\\d\\d ${CLOCK} [A-Z+-][\\w+-]{1,8}`,
  '\\d{9,11}\\.\\d{3,9}',
];
const BY_KERNEL = 'kernel(?:\\[\\d{1,10}\\])?:(?=[ [<]|$)';

/** Each may stand before a line, in any order, and the first that fits is taken: none is ever tried twice at one place. */
const HEADS = [
  `\\[(?:${IN_BRACKETS.join('|')})\\]`,
  '<\\d{1,3}>',
  `(?:${TIMES.join('|')})(?: (?:\\S{1,255} ){0,2}${BY_KERNEL}|(?= ))`,
  `(?:\\S{1,255} )?${BY_KERNEL}`,
  // `dmesg -x`
  `[a-z]{3,8}\\d? *:${LEVEL} *:`,
  // /dev/kmsg and netconsole
  '(?:[\\w.+-]{1,64},)?\\d{1,4},\\d{1,20},\\d{1,20},[-c+](?:,[\\w=/.:+-]{1,100}){0,4};',
  // logcat
  '\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{1,6} +\\d{1,8} +\\d{1,8} [A-Z] \\S{1,64} *:',
  // MediaTek
  '\\(\\d{1,3}\\)\\[\\d{1,10}:[^\\]]{1,32}\\]',
  // a mail that quotes
  '>(?=[> ])',
];
const HEAD = new RegExp(`^(?:[ \\t]{0,32}(?:${HEADS.join('|')})){1,8}`);
const CALLER = /(?:\[ *|caller=)([TC]\d{1,10})\b/;

/** A line of the kernel's log without what loggers put before it. */
export interface LogLine {
  /** Without blanks around it. */
  text: string;
  /** The task (`T4711`) or the processor (`C1`) that wrote it, where the kernel says so. */
  caller: string | undefined;
}

export function withoutHead(line: string): LogLine {
  const head = HEAD.exec(line)?.[0];
  if (head === undefined) return { text: line.trim(), caller: undefined };
  return { text: line.slice(head.length).trim(), caller: CALLER.exec(head)?.[1] };
}

const CONTROL = /[^\P{Cc}\t\r\n]|#033\[/u;
/** Colours, as they come or as loggers spell them, and other control characters. */
const COLOURS = /(?:[^\P{Cc}\t\r\n]|#033|\^\[)\[[\d;?]{0,20}[A-Za-z]|[^\P{Cc}\t\r\n]/gu;

/** A log as it would be without colours. */
export function withoutColours(log: string): string {
  return CONTROL.test(log) ? log.replaceAll(COLOURS, '') : log;
}

const HEADING = /^(.{1,200}?)Call [Tt]race:/m;

/**
 * A log whose lines all begin with something that no known logger writes, without that: as the line of the heading has it, but for its
 * numbers. Undefined where there is no such heading.
 */
export function withoutForeignHeads(log: string): string | undefined {
  const head = HEADING.exec(log)?.[1];
  if (head === undefined || head.trim() === '') return undefined;
  const shape = head
    .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/\d+/g, '\\d{1,20}')
    .replaceAll(/\s+/g, '[ \\t]{0,20}');
  return log.replaceAll(new RegExp(`^${shape}`, 'gm'), '');
}
