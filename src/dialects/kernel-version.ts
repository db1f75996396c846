/** `CPU: 3 PID: 4711 Comm: mount Tainted: G        W  OE      6.1.0-13-amd64 #1`; a hung task has that on a line of its own. */
const VERSION =
  /\b(?:(Not tainted)|Tainted: ([A-Z](?: {0,12}[A-Z]){0,24})) {1,20}(?:-{4,20} {1,10})?(\d{1,3}\.\d[^\s#]{0,100})/;

/** Which kernel wrote a report, and with what it was tainted, as far as the text says. */
export function kernelOf(text: string): { kernel: string; tainted: string } | undefined {
  const [, untainted, flags, kernel] = VERSION.exec(text) ?? [];
  return kernel === undefined ? undefined : { kernel, tainted: untainted ?? flags!.replaceAll(/ +/g, ' ') };
}
