import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { eventually, workspace } from '../executable/program.ts';

const possible = Bun.which('socat') !== null;
if (!possible) console.warn('test/system/notify.test.ts is skipped: it needs socat');

const { start, path } = workspace();

test.skipIf(!possible).each(['path', 'abstract'])(
  'systemd is told of the start, the readiness, the watchdog and the stop: %s',
  async kind => {
    const name = kind === 'path' ? path('notify.sock') : `telemetricsd-test-${process.pid}`;
    const receive = kind === 'path' ? `UNIX-RECVFROM:${name},fork` : `ABSTRACT-RECVFROM:${name},fork`;
    const socat = Bun.spawn(['socat', '-u', receive, 'STDOUT'], { stdout: 'pipe', stderr: 'ignore' });
    await eventually('socat listens', () => readFileSync('/proc/net/unix', 'utf8').includes(name));
    let told = '';
    const reading = (async () => {
      for await (const chunk of socat.stdout) told += new TextDecoder().decode(chunk);
    })();
    const env = { NOTIFY_SOCKET: kind === 'path' ? name : `@${name}`, WATCHDOG_USEC: '600000' };
    const program = await start({ stateDir: path(kind), env });
    await eventually('the watchdog is fed', () => told.includes('WATCHDOG=1'));
    expect(told).toMatch(
      /^EXTEND_TIMEOUT_USEC=\d+\nSTATUS=Starting[\s\S]*READY=1\nSTATUS=Taking records[\s\S]*WATCHDOG=1/,
    );
    await program.stop();
    await eventually('the stop is told', () => told.includes('STOPPING=1'));
    socat.kill();
    await reading;
  },
);
