import type { Queryable } from '../db/connect.ts';

/** The machine id of records for what a machine says of itself; '' where that says nothing. */
export type HashMachine = (told: string) => string;

/** As ABRT writes what it found in several places: `systemd=0123…` on a line of its own, and others. */
const FROM_SYSTEMD = /^systemd=(.*)$/m;
const FROM_ELSEWHERE = /^[\w-]{1,64}=(.*)$/m;

/** Ids are fixed: the same machine has the same one as long as this database lives. */
export async function machineHash(sql: Queryable): Promise<HashMachine> {
  const [row] = await sql<{ secret: Uint8Array }[]>`select secret from machine_id_secret`;
  const { secret } = row!;
  return told => {
    const id = (FROM_SYSTEMD.exec(told) ?? FROM_ELSEWHERE.exec(told))?.[1] ?? told;
    const plain = id.trim().toLowerCase();
    return plain === '' ? '' : new Bun.CryptoHasher('sha256', secret).update(plain).digest('hex').slice(0, 32);
  };
}
