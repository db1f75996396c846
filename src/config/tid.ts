import { z } from 'zod';
import { splitList, table, uniqueList } from './list.ts';
import { networks } from './network.ts';

const FLEET_NAME = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,40}$/u;

/** A TID that machines report with, the fleet's name, and limits. */
export interface Tid {
  id: string;
  name: string;
  /** Records a second. */
  rate?: number | undefined;
  /** Records in 24 hours. */
  daily?: number | undefined;
  /**
   * What happens to records beyond rate and daily: the machine keeps them and sends them again (the default), or they
   * are lost.
   */
  over?: 'retry' | 'drop' | undefined;
  /** The networks its machines may send from. */
  networks?: string[] | undefined;
}

const name = z.string({ error: 'a name as text' }).trim().regex(FLEET_NAME, '1 to 40 printable characters');

const tid = z.preprocess(
  tidFromText,
  table({
    id: z.guid({ error: 'a UUID such as 6907c830-eed9-4ce9-81ae-76daf8d88f0f' }).toLowerCase(),
    name: name.optional(),
    rate: wholeNumber('records a second', 1_000_000).optional(),
    daily: wholeNumber('records in 24 hours', 10_000_000_000).optional(),
    over: z.enum(['retry', 'drop'], { error: '"retry" or "drop"' }).optional(),
    networks: networks.min(1, 'at least one network').optional(),
  })
    .refine(({ over, rate, daily }) => over === undefined || rate !== undefined || daily !== undefined, {
      error: 'rate or daily beside over, which says what becomes of records past them',
    })
    .transform(({ id, name = id.slice(0, 8), ...limits }): Tid => ({ id, name, ...limits })),
);

function wholeNumber(of: string, most: number) {
  const form = `an integer from 1 to ${most}: ${of}`;
  return z.int({ error: form }).min(1, form).max(most, form);
}

/** `["desktops", "servers"]`, or text with commas between the names. */
export const fleetNames = z.preprocess(splitList, z.array(name));

/** `[{ id = "UUID", name = "desktops", rate = 200 }]`, or without limits the text `UUID=desktops,UUID=servers`. */
export const tids = uniqueList(tid, ({ id }) => id, 'every id once');

function tidFromText(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw;
  const [id, ...name] = raw.split('=');
  return name.length === 0 ? { id: raw.trim() } : { id: id!.trim(), name: name.join('=') };
}
