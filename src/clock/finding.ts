import { counted } from '../../views/parts/parts.tsx';
import type { Finding } from '../status/check.ts';
import type { Belief } from './judge.ts';

const DAY = 86_400;
const REMEDY =
  'Set the clock if it is wrong. If it is right, it is believed once machines whose clocks agree have reported for an hour, or nobody has for 7 days; "telemetricsd purge" says so at once.';

/** What the status says while the clock is doubted. */
export function clockFinding({ trustedAt, lookedAt, doubt }: Belief): Finding | undefined {
  if (!doubt) return undefined;
  const { stepped, watched, heard } = doubt;
  const machines = heard.agreeing + heard.disagreeing;
  const contradicted = heard.disagreeing > heard.agreeing;
  const step = lookedAt - trustedAt - watched;
  const text = [
    `It is ${day(lookedAt)} UTC, ${apart(step)} when it was last believed.`,
    machines === 0
      ? 'No machine has reported since.'
      : `Of ${counted(machines, 'machine')} that reported since, the clocks of ${heard.agreeing} agree.`,
    'Nothing is removed for its age meanwhile.',
  ].join(' ');
  if (stepped || contradicted) return { level: 'error', text, remedy: REMEDY };
  // A server that was off for days is fine: its machines soon confirm that the time has passed.
  return watched < DAY && step > 0 ? { level: 'ok', text } : { level: 'warning', text, remedy: REMEDY };
}

function day(seconds: number) {
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ');
}

function apart(seconds: number) {
  const size =
    Math.abs(seconds) < 2 * DAY
      ? counted(Math.round(Math.abs(seconds) / 3600), 'hour')
      : counted(Math.round(Math.abs(seconds) / DAY), 'day');
  return `${size} ${seconds > 0 ? 'after' : 'before'}`;
}
