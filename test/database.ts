import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../src/db/connect.ts';
import { type Database, databaseAt } from '../src/db/database.ts';
import { type EmbeddedPostgres, startEmbedded } from '../src/db/embedded.ts';
import { migrate } from '../src/db/migrate.ts';
import { makePartitionsAhead } from '../src/db/partitions.ts';
import { createLog } from '../src/log.ts';

export const quietLog = createLog('error', 'text');

const TEMPLATE = 'template_telemetricsd';
/** Of deadlines, which a busy machine may miss. */
const PACE = 4;
let server: Promise<{ postgres: EmbeddedPostgres; stateDir: string }> | undefined;
let databases = 0;

/** The one PostgreSQL of a test run, with a migrated template to clone. */
function testServer() {
  server ??= startServer();
  return server;
}

async function startServer() {
  const stateDir = mkdtempSync(join(tmpdir(), 'telemetricsd-test-'));
  const postgres = await startEmbedded(stateDir, quietLog);
  const admin = connect({ target: postgres, connections: 1, name: 'test' });
  // Nobody needs these databases after a power cut.
  for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit'])
    await admin`alter system set ${admin(setting)} = off`;
  await admin`select pg_reload_conf()`;
  await admin`create database ${admin(TEMPLATE)}`;
  const template = connect({ target: { ...postgres, database: TEMPLATE }, connections: 1, name: 'test' });
  await migrate(template, quietLog);
  await makePartitionsAhead(template, quietLog);
  await template.end();
  await admin.end();
  return { postgres, stateDir };
}

export async function stopTestServer() {
  const running = await server;
  server = undefined;
  await running?.postgres.stop();
  if (running) rmSync(running.stateDir, { recursive: true, force: true });
}

export interface TestDatabase extends Database {
  name: string;
  /** Another handle to the same database, as a second instance has. */
  another(): Database;
}

/** A database of its own, empty but for the schema; or without even that. */
export async function testDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const { postgres } = await testServer();
  const name = `test_${process.pid}_${databases++}`;
  const admin = connect({ target: postgres, connections: 1, name: 'test' });
  if (migrated) await admin`create database ${admin(name)} template ${admin(TEMPLATE)} strategy file_copy`;
  else await admin`create database ${admin(name)}`;
  const target = { socketDir: postgres.socketDir, database: name };
  const database = databaseAt(target, 4, { pace: PACE });
  return {
    ...database,
    name,
    another: () => databaseAt(target, 4, { pace: PACE }),
    async close() {
      await database.close();
      await admin`drop database ${admin(name)} with (force)`;
      await admin.end();
    },
  };
}
