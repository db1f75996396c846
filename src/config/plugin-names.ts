import { z } from 'zod';
import { uniqueList } from './list.ts';

/** Used in addresses and file names. */
export const pluginName = z
  .string({ error: 'a name as text' })
  .regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'a name of 1 to 40 characters of a-z, 0-9, "-" and "_"');

export const pluginNames = uniqueList(pluginName, name => name, 'every name once', 0);
