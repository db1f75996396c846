import { existsSync } from 'node:fs';

const REMOTE = ['/usr/lib/systemd/systemd-journal-remote', '/lib/systemd/systemd-journal-remote'].find(existsSync);

/** Why no journal can be made here; undefined: it can. */
export const journalMissing = !REMOTE
  ? 'it needs systemd-journal-remote'
  : Bun.which('journalctl')
    ? undefined
    : 'it needs journalctl';

export interface Entry {
  /** Unix time in seconds. */
  at: number;
  /** Another number is another boot. */
  boot?: number;
  fields: Record<string, string | Uint8Array>;
}

/** Entries as `journalctl -o export` writes them. */
export function exported(entries: Entry[]): Buffer {
  return Buffer.concat(entries.map(exportEntry));
}

function exportEntry({ at, boot = 1, fields }: Entry): Buffer {
  const usec = Math.round(at * 1e6);
  return Buffer.concat([
    Buffer.from(
      `__REALTIME_TIMESTAMP=${usec}\n__MONOTONIC_TIMESTAMP=${usec - 1.7e15}\n_BOOT_ID=${String(boot).padStart(32, '0')}\n`,
    ),
    ...Object.entries(fields).map(exportField),
    Buffer.from('\n'),
  ]);
}

function exportField([name, value]: [string, string | Uint8Array]): Buffer {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n')]);
}

/** Adds entries to a journal file, which it makes where there is none. */
export async function writeJournal(file: string, entries: Entry[]) {
  const writing = Bun.spawn([REMOTE!, `--output=${file}`, '-'], { stdin: exported(entries), stderr: 'pipe' });
  const stderr = await writing.stderr.text();
  if ((await writing.exited) !== 0) throw new Error(stderr);
}

/** What systemd-coredump writes when a program has crashed. */
export function crash(at: number, fields: Entry['fields'] = {}, boot?: number): Entry {
  return {
    at,
    ...(boot !== undefined && { boot }),
    fields: {
      MESSAGE_ID: 'fc2e22bc6ee647b6b90729ab34a250b1',
      SYSLOG_IDENTIFIER: 'systemd-coredump',
      PRIORITY: '2',
      MESSAGE: `Process 7 (app) of user 1000 dumped core.\n\nStack trace of thread 7:\n#0  0x${Math.round(at).toString(16)} main (app + 0x1)`,
      COREDUMP_EXE: '/usr/bin/app',
      COREDUMP_SIGNAL: '11',
      ...fields,
    },
  };
}

/** Lines of the kernel, a millisecond apart. */
export function kernelLines(at: number, text: string, boot?: number): Entry[] {
  return text.split('\n').map((line, n) => ({
    at: at + n / 1000,
    ...(boot !== undefined && { boot }),
    fields: { _TRANSPORT: 'kernel', SYSLOG_IDENTIFIER: 'kernel', PRIORITY: '4', MESSAGE: line },
  }));
}

/** What systemd-pstore writes about a file that the firmware has kept through a reboot. */
export function pstoreFile(at: number, text: string): Entry {
  return {
    at,
    fields: {
      SYSLOG_IDENTIFIER: 'systemd-pstore',
      _UID: '0',
      MESSAGE: 'PStore dmesg-efi_pstore-1796000000001001 moved to /var/lib/systemd/pstore/1796000000/001/…',
      FILE: text,
    },
  };
}
