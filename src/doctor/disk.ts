import type { Config } from '../config/settings.ts';
import { roomIn } from '../retention/disk-reserve.ts';
import type { Finding } from '../status/check.ts';
import { diskFinding } from '../status/findings.ts';

export async function diskSpace({ state, database, disk }: Config): Promise<Finding> {
  if (database.url !== undefined) return { level: 'ok', text: 'The data lies with the database of database.url.' };
  return diskFinding(await roomIn(state.dir, disk.reserve));
}
