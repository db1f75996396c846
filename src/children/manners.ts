import { setPriority } from 'node:os';

/** Lets everything else on the machine go first. */
const NICENESS = 10;

/** Lowers this process's priority. */
export function goAfterOthers(): void {
  try {
    setPriority(NICENESS);
  } catch {
    // Under systemd with ~@resources this is forbidden; the deadlines hold without it.
  }
}
