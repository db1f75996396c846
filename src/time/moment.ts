import { z } from 'zod';
import { textParam } from '../validation.ts';
import { DAY_MS } from './units.ts';

/** PostgreSQL has no year 0, and takes no year of five digits as JavaScript writes it; no record lies beyond either. */
const FIRST_MOMENT = Date.parse('0001-01-01T00:00Z');
const LAST_MOMENT = Date.parse('9999-12-31T23:59:59.999Z');
const MOMENT = 'expected a date and time in UTC such as 2026-11-23T21:30, or a date such as 2026-11-23';

/** A moment in UTC as `2026-11-23T21:30`, with or without seconds; or a day, which stands for its beginning, or its end. */
export const momentParam = (ofDay: 'beginning' | 'end') =>
  textParam(30).transform((text, context) => {
    if (text === undefined) return undefined;
    const [, day, time] = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)Z?)?$/.exec(text) ?? [];
    const moment = day ? new Date(`${day}T${time ?? '00:00'}Z`) : undefined;
    // Date.parse takes 30 February for 2 March.
    if (!moment || Number.isNaN(moment.getTime()) || !moment.toISOString().startsWith(day!)) {
      context.addIssue({ code: 'custom', message: MOMENT });
      return z.NEVER;
    }
    const at = time === undefined && ofDay === 'end' ? moment.getTime() + DAY_MS : moment.getTime();
    return new Date(Math.min(Math.max(at, FIRST_MOMENT), LAST_MOMENT));
  });
