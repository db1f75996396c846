import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { eventually, workspace } from '../executable/program.ts';
import { exchange, get, headerRequest, openWire, type Wire } from '../executable/wire.ts';

const { start } = workspace();
const OPEN_FILES = 300;
const CLIENTS = 500;
const WATCHED_MS = 1_000;

test('more connections than there may be files are closed, and those that found a place are served', async () => {
  const program = await start({ openFiles: OPEN_FILES });
  const wires: Wire[] = [];
  for (let n = 0; n < CLIENTS; n++) wires.push(await openWire(program.port));
  await eventually('it is logged', () => program.output().includes('closed a connection, since there are too many'));

  const before = cpuMs(program.pid);
  await Bun.sleep(WATCHED_MS);
  expect(cpuMs(program.pid) - before).toBeLessThan(WATCHED_MS / 2);

  wires[0]!.write(headerRequest('hello\n'));
  expect((await wires[0]!.answer()).status).toBe(201);
  for (const wire of wires) wire.close();
  await eventually('there is room again', () =>
    exchange(program.port, get('/readyz')).then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
  const { text } = await exchange(program.port, get('/metrics'));
  expect(text).toMatch(/^telemetricsd_connections_refused_total [1-9]/m);
  expect((await program.stop()).code).toBe(0);
});

function cpuMs(pid: number) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}
