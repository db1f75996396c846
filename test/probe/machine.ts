import { afterAll } from 'bun:test';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { TID } from '../app.ts';
import { type Entry, writeJournal } from './journal.ts';

export const PROBE = resolve(import.meta.dir, '../../src/probe/telemetricsd-probe.sh');

const STATE = 'var/lib/telemetricsd-probe';

/** The files of a machine with a journal, as `telemetricsd-probe --root` takes it. */
export interface Machine {
  path(name: string): string;
  /** Programs in `bin` come before those of the system. */
  write(name: string, text: string | Uint8Array): void;
  read(name: string): string;
  /** Adds to the journal; another name is another file of it. */
  log(entries: Entry[], file?: string): Promise<void>;
  /** Ends what keeps the probe from trying again. */
  endPause(): void;
  start(command: string, shell?: Shell): Bun.Subprocess<'ignore', 'pipe', 'pipe'>;
  run(command: string, shell?: Shell): Promise<{ code: number; output: string }>;
  /** The records that would be sent now, but for those about the probe itself. */
  preview(shell?: Shell): Promise<SentRecord[]>;
}

export type SentRecord = Record<
  'classification' | 'severity' | 'machine_id' | 'creation_timestamp' | 'event_id' | 'payload' | 'build',
  string
> &
  Record<string, string>;

/** A shell and the awk it finds. */
export interface Shell {
  shell: string[];
  awk: string;
}

const SHELLS: Shell[] = [
  { shell: ['dash'], awk: 'mawk' },
  { shell: ['bash', '--posix'], awk: 'gawk' },
  { shell: ['busybox', 'sh'], awk: 'busybox' },
];
const SYSTEMS_OWN: Shell = { shell: ['sh'], awk: 'awk' };
/** Those of them that are here. */
export const shells = SHELLS.filter(({ shell, awk }) => Bun.which(shell[0]!) && Bun.which(awk));

/** A maker of machines that go with the test file which asks for it. */
export function machineMaker() {
  const directory = mkdtempSync(join(tmpdir(), 'telemetricsd-probe-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  let made = 0;
  return (server: string, settings = ''): Machine => {
    const files = machineAt(join(directory, `machine-${made++}`), directory);
    files.write('etc/telemetricsd-probe.conf', `server = ${server}\ntid = ${TID}\n${settings}\n`);
    files.write('etc/os-release', 'NAME=Example\nID=example\nVERSION_ID="12"\n');
    files.write('etc/machine-id', '0123456789abcdef0123456789abcdef\n');
    files.write('proc/uptime', '915.20 1000.00\n');
    files.write('proc/cpuinfo', 'processor\t: 0\nmodel name\t: Intel(R) Core(TM) i7-8565U CPU @ 1.80GHz\n');
    files.write(`${STATE}/secret`, `${'5'.repeat(64)}\n`);
    // As if it had been installed long ago.
    files.write(`${STATE}/started`, '1700000000\n');
    mkdirSync(files.path('var/log/journal'), { recursive: true });
    return files;
  };
}

function machineAt(root: string, directory: string): Machine {
  const path = (name: string) => join(root, name);
  const start = (command: string, { shell, awk }: Shell = SYSTEMS_OWN) =>
    Bun.spawn([...shell, PROBE, '--root', root, command], {
      env: { PATH: `${path('bin')}:${binaries(directory, awk)}:${process.env.PATH}`, TMPDIR: directory },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    });
  async function run(command: string, shell?: Shell) {
    const running = start(command, shell);
    const [stdout, stderr] = await Promise.all([running.stdout.text(), running.stderr.text()]);
    return { code: await running.exited, output: stdout + stderr };
  }
  return {
    path,
    write(name, text) {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), text);
    },
    read: name => readFileSync(path(name), 'utf8'),
    log: (entries, file = 'system') => writeJournal(path(`var/log/journal/${file}.journal`), entries),
    endPause: () => rmSync(path(`${STATE}/pause`), { force: true }),
    start,
    run,
    async preview(shell) {
      const { code, output } = await run('preview', shell);
      if (code !== 0) throw new Error(output);
      return output.split('\n').slice(1, -1).map(parseRecord).filter(isOfJournal);
    },
  };
}

export function parseRecord(json: string): SentRecord {
  return JSON.parse(json);
}

/** False for what the probe says of itself. */
export function isOfJournal({ classification }: SentRecord) {
  return !/hello|heartbeat|update/.test(classification);
}

/** A directory in which `awk` is this one. */
function binaries(directory: string, awk: string) {
  const bin = join(directory, `bin-${awk}`);
  mkdirSync(bin, { recursive: true });
  rmSync(join(bin, 'awk'), { force: true });
  symlinkSync(Bun.which(awk)!, join(bin, 'awk'));
  return bin;
}
