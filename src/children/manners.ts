import { Console } from 'node:console';
import { setPriority } from 'node:os';

/** Whatever else the machine has to do may come first. */
const NICENESS = 10;

/** Lets this process wait for others. */
export function goAfterOthers(): void {
  try {
    setPriority(NICENESS);
  } catch {
    // Under systemd with ~@resources it may not; the deadlines hold without it.
  }
}

/** What the code that this process runs prints goes to stderr. */
export function keepStdoutForAnswers(): void {
  Object.assign(console, new Console(process.stderr));
  process.stdout.write = process.stderr.write.bind(process.stderr);
}
