/**
 * `CPU: 3 PID: 4711 Comm: mount Tainted: G        W  OE      6.1.0-13-amd64 #1`; a hung task has that on a line of its own. RHEL puts dashes
 * among the flags.
 */
const VERSION = /\b(?:(Not tainted)[ -]{1,40}|Tainted: ([A-Z][A-Za-z -]{0,60}?) {1,20})(\d{1,3}\.\d[^\s#]{0,100})/;

/** Which kernel wrote a report, and with what it was tainted, as far as the text says. */
export function kernelOf(text: string): { kernel: string; tainted: string } | undefined {
  const [, untainted, flags, kernel] = VERSION.exec(text) ?? [];
  return kernel === undefined ? undefined : { kernel, tainted: untainted ?? flags!.replaceAll(/[ -]+/g, ' ').trim() };
}
