import { join } from 'node:path';
import { siteOf } from './access/command.ts';
import { makeLink } from './access/links.ts';
import { hasUsers } from './access/users.ts';
import { tryBackupDir } from './backup/schedule.ts';
import { createCollector } from './collector/collector.ts';
import { openLimits } from './collector/limits.ts';
import { needsAccounts } from './config/access-mode.ts';
import { isHttps } from './config/listener.ts';
import { loadConfig } from './config/load.ts';
import { printConfig } from './config/print.ts';
import type { Config } from './config/settings.ts';
import { welcomeText } from './connect/welcome.ts';
import { startCrashAnalysis } from './crashes/analysis.ts';
import { type Database, openDatabase } from './db/database.ts';
import { migrate } from './db/migrate.ts';
import { makePartitionsAhead } from './db/partitions.ts';
import { registerFleets } from './fleets.ts';
import { watchConnections } from './http/connections.ts';
import { assertAddresses, type RunningServer, startServers } from './listeners.ts';
import { createLog, type Log } from './log.ts';
import { startNotifier } from './notify/notifier.ts';
import { ownCommand } from './own-command.ts';
import { startParsers } from './parsers/parsers.ts';
import { startPlugins } from './plugins/plugins.ts';
import { machineHash } from './privacy/machine-ids.ts';
import { watchDisk } from './retention/disk-reserve.ts';
import { startSchedule } from './schedule.ts';
import { serviceManager } from './systemd.ts';
import { openCertificate } from './tls/certificate.ts';
import { PROGRAM_VERSION } from './version.ts';

const ANSWER_DEADLINE_MS = 3_000;
const DRAIN_DEADLINE_MS = 3_000;
/** All parsers of admins share these. */
const PARSER_CONNECTIONS = 2;
const PARSERS_DEADLINE_MS = 60_000;
/** Shorter than the notifier waits for its checks. */
const NOTICES_DEADLINE_MS = 20_000;

/** Runs the server until SIGTERM or SIGINT; resolves to the exit code. */
export async function serveUntilStopped({
  config: file,
  welcome,
}: {
  config?: string | undefined;
  welcome: boolean;
}): Promise<number> {
  const started = performance.now();
  const loaded = loadConfig({ file });
  const { config, directory } = loaded;
  const accounts = needsAccounts(config);
  const command = (name: string) => ownCommand(name, loaded, file);
  const log = createLog(config.log.level, config.log.format);
  const signal = Promise.race(stopSignals().map(nextSignal));
  log.info('telemetricsd starts', { version: PROGRAM_VERSION, pid: process.pid });
  const certificate = config.http.listen.some(isHttps) ? openCertificate(config.tls, log) : undefined;
  const reloads = certificate ? [certificate.reload] : [];
  reloadOnHangup(reloads, log);
  await assertAddresses(config.http.listen);
  const manager = serviceManager(log);
  manager.starting();
  {
    // At the end of the block everything started here stops, the last one first.
    await using running = new AsyncDisposableStack();
    if (certificate) running.defer(certificate.stop);
    const database = running.adopt(await openDatabase(config, log), opened => opened.close());
    await prepare(database, log);
    const fleets = await registerFleets(database.sql, config.collector.tids);
    const limits = await openLimits(database.sql, config.collector.tids, fleets, log);
    const disk = database.kind === 'embedded' ? await watchDisk(config.state.dir, config.disk.reserve, log) : undefined;
    if (disk) running.defer(disk.stop);
    const analysis = startCrashAnalysis(database.target, config, log);
    running.defer(analysis.stop);
    const parsers = await startParsers({
      enabled: () => loadConfig({ file }).config.parsers.enabled,
      directory: join(directory, 'parsers'),
      sql: database.client('custom parsers', { connections: PARSER_CONNECTIONS, deadlineMs: PARSERS_DEADLINE_MS }),
      log,
    });
    running.defer(parsers.stop);
    reloads.push(parsers.reload);
    const collector = createCollector({
      config,
      database,
      fleets,
      limits,
      hashMachine: await machineHash(database.sql),
      log,
      onWork: analysis.wake,
      parserLane: parsers.laneOf,
      assertRoom: () => disk?.assertRoom(),
    });
    const plugins = startPlugins({
      settings: () => loadConfig({ file }).config.plugins,
      directory: join(directory, 'plugins'),
      database,
      log,
    });
    running.defer(plugins.stop);
    reloads.push(plugins.reload);
    const connections = watchConnections(log);
    const notifier = startNotifier({
      sql: database.client('notices', { deadlineMs: NOTICES_DEADLINE_MS }),
      watched: { config, collector, disk: () => disk?.status, certificate, connections, plugins, parsers },
      log,
    });
    if (notifier) running.defer(notifier.stop);
    running.defer(async () => {
      await Promise.race([Promise.all([collector.drain(), limits.writeDown()]), Bun.sleep(DRAIN_DEADLINE_MS)]);
    });
    const servers = await startServers({
      config,
      database,
      collector,
      log,
      plugins,
      parsers,
      certificate,
      connections,
      onWork: analysis.wake,
      disk: () => disk?.status,
      settings: printConfig(loaded),
      demoCommand: command('demo'),
    });
    running.defer(async () => {
      await Promise.all(servers.map(server => server.stop(ANSWER_DEADLINE_MS)));
    });
    running.defer(startSchedule(database, config, limits, log));
    log.info('ready', {
      listen: servers.map(server => server.url).join(' '),
      database: database.kind,
      ms: Math.round(performance.now() - started),
    });
    manager.ready();
    const nobody = accounts && !(await hasUsers(database.sql));
    // The link is not logged, since others may read the log.
    const firstLink = nobody && welcome ? `${siteOf(config, servers)}${await makeLink(database.sql, null)}` : undefined;
    if (nobody && !welcome)
      log.warn(
        `nobody can sign in yet: "${command('welcome')}" prints a link that makes the first account, "${command('user add NAME --role admin')}" adds it`,
      );
    if (welcome) process.stdout.write(readyText(config, servers, command('demo'), firstLink));
    if (config.backup.dir !== undefined)
      void tryBackupDir(database.client('backup'), config.backup.dir, log).catch(() => {});

    log.info('stopping', { signal: await signal, waiting: collector.waiting });
    manager.stopping();
  }
  log.info('stopped');
  return 0;
}

async function prepare(database: Database, log: Log) {
  const client = database.client('migrate');
  await migrate(client, log);
  await makePartitionsAhead(client, log);
  await client.end();
}

/** In a terminal, SIGHUP means that the terminal was closed; elsewhere it rereads certificate, plugins and parsers. */
function stopSignals(): NodeJS.Signals[] {
  return process.stdin.isTTY ? ['SIGTERM', 'SIGINT', 'SIGHUP'] : ['SIGTERM', 'SIGINT'];
}

function reloadOnHangup(reloads: (() => unknown)[], log: Log) {
  if (stopSignals().includes('SIGHUP')) return;
  process.on('SIGHUP', () => {
    log.info('SIGHUP: certificate, plugins and parsers are read again; other settings are read at the start only');
    for (const reload of reloads) reload();
  });
}

/** A signal may come twice (npm passes on what the terminal has sent to all): the second must not end us halfway. */
function nextSignal(name: NodeJS.Signals): Promise<string> {
  return new Promise(resolve => process.on(name, () => resolve(name)));
}

function readyText(config: Config, servers: RunningServer[], sample: string, firstLink: string | undefined) {
  return `
telemetricsd is ready.

  Sample data           ${sample}   (in another terminal, before real records come: 100,000 made-up ones)
  Stop                  Ctrl-C
${welcomeText(config, servers, firstLink)}
`;
}
