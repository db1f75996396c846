/** What rates are of; signal_of in sql/functions says which record is which. */
export const SIGNALS = ['crash', 'kernel', 'uncorrected', 'corrected', 'thermal', 'update'] as const;
export type Signal = (typeof SIGNALS)[number];

/** How many affected machines the rates of a view leave out. */
export interface LeftOut {
  signal: Signal;
  /** Each once for a build and 3 days. */
  affected: number;
  /** Of these, machine ids that sent no heartbeat in their period. */
  unexposed: number;
}
