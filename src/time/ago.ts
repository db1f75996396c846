const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

const RELATIVE = new Intl.RelativeTimeFormat('en');

/** `3 minutes ago`; static/app.js refreshes it by the same rule. */
export const ago = (at: Date, now: Date): string => {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  const unit = UNITS.find(([, length]) => Math.abs(seconds) >= length);
  return unit ? RELATIVE.format(Math.trunc(seconds / unit[1]), unit[0]) : 'just now';
};

/** `2026-11-23 13:45:10 UTC` */
export const exact = (at: Date): string => `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** `2026-11-23`, if only the UTC day is known. */
export const dayOf = (at: Date): string => at.toISOString().slice(0, 10);
