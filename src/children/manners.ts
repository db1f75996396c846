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
