import { existsSync } from 'node:fs';
import type { Config } from '../config/settings.ts';
import type { Finding } from '../status/check.ts';
import type { ServerUser } from './server-user.ts';

/**
 * Whether the service may run the program that notices go to. "doctor --notify-test" runs it as the user who calls
 * doctor.
 */
export function noticeProgram({ notify: { command } }: Config, user: ServerUser): Finding[] {
  const program = command?.[0];
  if (program === undefined) return [];
  if (!existsSync(program))
    return [{ level: 'error', text: `There is no ${program}.`, remedy: 'Correct notify.command.' }];
  if (user.mayRun(program)) return [{ level: 'ok', text: `${program} can be run; --notify-test tries it.` }];
  const remedy = `chmod 755 ${program}, and let the user of the service enter the folders above.`;
  return [{ level: 'error', text: `${user.name} may not run ${program}.`, remedy }];
}
