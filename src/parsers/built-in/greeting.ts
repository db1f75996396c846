import type { Parsed } from '../parser.ts';
import { known, labelled, wholeNumber } from './lines.ts';

const MOST_BUNDLES = 1_000;

/** Reads what a machine reports about itself: heartbeats, and hellos with their bundles. */
export function parseGreeting(payload: string): Parsed {
  const { uptime, ...texts } = labelled(payload, {
    // If the categories differ, LC_ALL lists them all: "LC_CTYPE=en_US.UTF-8;LC_NUMERIC=de_DE.UTF-8;…"
    locale: /^LC_ALL: *([^\n]{1,1000})$/m,
    uptime: /^uptime: *([0-9]{1,15})(?:[.,][0-9]+)?\s*$/m,
    virtualization: /^virtualization: *([\w-]{1,64})\s*$/m,
    probe: /^probe: *([\w.-]{1,64})\s*$/m,
  });
  return known({ uptime: wholeNumber(uptime), ...texts, bundles: bundlesOf(payload) });
}

function bundlesOf(payload: string): string[] | undefined {
  const [heading, count] = /^Bundles \(([0-9]{1,6})\):[^\n]*\n/m.exec(payload) ?? [];
  if (heading === undefined) return undefined;
  const lines = payload
    .slice(payload.indexOf(heading) + heading.length)
    .split('\n', Math.min(Number(count), MOST_BUNDLES));
  return lines.map(line => line.trim().slice(0, 200)).filter(line => line !== '');
}
