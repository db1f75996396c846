const WIDTH = 30;
const PAUSE_MS = 100;

interface ProgressBar {
  show(done: number): void;
  /** Ends the bar; `actual` is the true total if the given one was an estimate. */
  done(actual?: number): void;
}

/** Shows a bar on a terminal, and elsewhere a line for every tenth. Writes to stderr. */
export function progressBar(total: number, unit: string, verb = 'Wrote'): ProgressBar {
  const terminal = process.stderr.isTTY;
  const started = performance.now();
  let shownAt = 0;
  let tenths = 0;

  function show(done: number) {
    const now = performance.now();
    if (terminal && now - shownAt < PAUSE_MS && done < total) return;
    if (!terminal && Math.min(10, Math.floor((done / total) * 10)) <= tenths) return;
    shownAt = now;
    tenths = Math.min(10, Math.floor((done / total) * 10));
    const line = describe(done);
    process.stderr.write(terminal ? `\r${bar(done)} ${line}\x1b[K` : `${line}\n`);
  }

  function describe(done: number) {
    const seconds = (performance.now() - started) / 1000;
    const percent = Math.min(100, Math.floor((done / total) * 100));
    const rate = Math.round(done / Math.max(seconds, 0.001));
    return `${percent} %  ${done.toLocaleString('en')} of ${Math.max(total, done).toLocaleString('en')} ${unit}, ${rate.toLocaleString('en')} a second`;
  }

  function bar(done: number) {
    const filled = Math.min(WIDTH, Math.round((done / total) * WIDTH));
    return `[${'#'.repeat(filled)}${' '.repeat(WIDTH - filled)}]`;
  }

  return {
    show,
    done(actual = total) {
      const seconds = (performance.now() - started) / 1000;
      const rate = Math.round(actual / seconds);
      process.stderr.write(
        `${terminal ? '\r\x1b[K' : ''}${verb} ${actual.toLocaleString('en')} ${unit} in ${seconds.toFixed(1)} s, ${rate.toLocaleString('en')} a second.\n`,
      );
    },
  };
}
