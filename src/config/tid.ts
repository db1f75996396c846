import { z } from 'zod';
import { table, uniqueList } from './list.ts';

const FLEET_NAME = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,40}$/u;

/** A TID that machines report with, and the name of the fleet that it stands for. */
export interface Tid {
  id: string;
  name: string;
}

const tid = z.preprocess(
  tidFromText,
  table({
    id: z.guid({ error: 'a UUID such as 6907c830-eed9-4ce9-81ae-76daf8d88f0f' }).toLowerCase(),
    name: z.string({ error: 'a name as text' }).trim().regex(FLEET_NAME, '1 to 40 printable characters').optional(),
  }).transform(({ id, name }): Tid => ({ id, name: name ?? id.slice(0, 8) })),
);

/** `[{ id = "UUID", name = "desktops" }]`, or as text `UUID=desktops,UUID=servers`. */
export const tids = uniqueList(tid, ({ id }) => id, 'every id once');

function tidFromText(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw;
  const [id, ...name] = raw.split('=');
  return name.length === 0 ? { id: raw.trim() } : { id: id!.trim(), name: name.join('=') };
}
