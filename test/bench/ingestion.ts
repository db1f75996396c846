import { join } from 'node:path';
import { connect, LOOKUPS_BY_INDEX, type Sql } from '../../src/db/connect.ts';
import { sampleFleet } from '../../src/demo/fleet.ts';
import { insertRecords } from '../../src/records/store.ts';
import { makeCertificate, withoutOpenssl } from '../tls/certificates.ts';
import type { LoadResult } from './load.ts';
import { startProgram, temporaryState } from './program.ts';

const PORT = 18_765;
const SECONDS = Number(process.env.BENCH_SECONDS ?? 15);
const CONNECTIONS = 64;
const BATCH = 64;
const ROUNDS = 3;
/** 1 GB in files of 4 MB. */
const LOG_FILES = 256;

/** The speed of ingestion over TLS relative to plain connections, measured in alternation. */
export async function benchTls() {
  if (withoutOpenssl('test/bench')) return;
  const state = temporaryState();
  const files = temporaryState();
  const { cert, key } = makeCertificate(join(files.dir, 'bench'));
  try {
    const program = await startProgram(state.dir, PORT, {
      TELEMETRICSD_HTTP_LISTEN: `127.0.0.1:${PORT},https://127.0.0.1:${PORT + 1}`,
      TELEMETRICSD_TLS_CERT: cert,
      TELEMETRICSD_TLS_KEY: key,
    });
    await load(3);
    const rates = { plain: 0, tls: 0 };
    for (let round = 0; round < 3; round++) {
      const plain = await load(SECONDS / 3);
      const tls = await load(SECONDS / 3, PORT + 1, 'https');
      rates.plain += plain.answered / plain.seconds / 3;
      rates.tls += tls.answered / tls.seconds / 3;
    }
    await program.stop();
    const { plain, tls } = rates;
    console.log(
      `over TLS            ${tls.toFixed(0)} records/s, plain ${plain.toFixed(0)} in the same run: ratio ${(tls / plain).toFixed(2)}`,
    );
  } finally {
    files.remove();
    state.remove();
  }
}

/**
 * Measures ingestion through the executable, and in the same run the same batched INSERTs into its PostgreSQL alone.
 */
export async function benchIngestion() {
  const state = temporaryState();
  try {
    const first = await startProgram(state.dir, PORT);
    await first.stop();
    const program = await startProgram(state.dir, PORT);
    console.log(`start to ready      ${first.readyMs.toFixed(0)} ms first, ${program.readyMs.toFixed(0)} ms later`);
    const idle = program.memory().now;
    const sql = connect({
      target: { socketDir: join(state.dir, 'run') },
      connections: 1,
      name: 'bench',
      settings: LOOKUPS_BY_INDEX,
    });
    await useLog(sql);
    await load(3);
    // In alternation, since the speed of a machine may change within seconds.
    const alone: number[] = [];
    const loads: LoadResult[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      alone.push(await insertAlone(sql, SECONDS / ROUNDS));
      loads.push(await load(SECONDS / ROUNDS));
    }
    const memory = program.memory();
    const ids = loads.flatMap(result => result.ids);
    const found = await countFound(sql, ids);
    await sql.end();
    await program.stop();
    const rates = loads.map(result => result.answered / result.seconds);
    const figures = (values: number[], digits = 0) => values.map(value => value.toFixed(digits)).join(', ');
    console.log(
      `ingestion           ${mean(rates).toFixed(0)} durable records/s over ${CONNECTIONS} connections, ${ROUNDS} times ${SECONDS / ROUNDS} s (${figures(rates)})`,
    );
    console.log(
      `latency             p50 ${figures(
        loads.map(({ p50 }) => p50),
        1,
      )} ms; p99 ${figures(
        loads.map(({ p99 }) => p99),
        1,
      )} ms; max ${figures(
        loads.map(({ max }) => max),
        1,
      )} ms`,
    );
    console.log(
      `INSERTs alone       ${mean(alone).toFixed(0)} rows/s in batches of ${BATCH} on one connection, before each (${figures(alone)})`,
    );
    console.log(`ratio               ${(mean(rates) / mean(alone)).toFixed(2)}`);
    console.log(`memory              ${idle} MB idle, ${memory.now} MB after, ${memory.most} MB at most`);
    console.log(
      `answers             ${JSON.stringify(loads.map(({ statuses }) => statuses))}; of ${ids.length} records answered 201, ${found} are in the table`,
    );
  } finally {
    state.remove();
  }
}

/** Posts records for a while, from a process of its own. */
export async function load(seconds: number, port = PORT, ...how: 'https'[]): Promise<LoadResult> {
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, 'load.ts'), String(port), String(seconds), String(CONNECTIONS), ...how],
    {
      stdout: 'pipe',
      stderr: 'inherit',
    },
  );
  return JSON.parse(await new Response(child.stdout).text());
}

function mean(values: number[]) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Fills as much of PostgreSQL's log as lies between two checkpoints under full load. After that its files are reused; a
 * new database still has to make them, and records wait for each.
 */
async function useLog(sql: Sql) {
  for (let file = 0; file < LOG_FILES; file++)
    await sql`select pg_logical_emit_message(true, 'bench', ''), pg_switch_wal()`;
  await sql`checkpoint`;
}

/** Rows a second into `records` alone, without anything else that ingestion writes. */
async function insertAlone(sql: Sql, seconds: number): Promise<number> {
  const payload = 'x'.repeat(1024);
  const [day] = sampleFleet({
    records: 20_000,
    machines: 20_000,
    days: 1,
    seed: 2,
    until: new Date('2026-01-01'),
    fleets: 1,
  });
  const reports = [...day!.records()].map(({ report }) => ({ ...report, payload }));
  const started = performance.now();
  let id = 1e12 + Math.floor(Math.random() * 1e11);
  let rows = 0;
  while (performance.now() - started < seconds * 1000) {
    const receivedAt = new Date();
    const batch = Array.from({ length: BATCH }, () => ({
      id: id++,
      fleetId: 1,
      receivedAt,
      report: reports[id % reports.length]!,
    }));
    await insertRecords(sql, batch);
    rows += BATCH;
  }
  return rows / ((performance.now() - started) / 1000);
}

async function countFound(sql: Sql, ids: number[]) {
  const [row] = await sql<{ found: number }[]>`
    select count(*) as found from unnest(${ids}::bigint[]) as answered (id) join records using (id)`;
  return row!.found;
}
