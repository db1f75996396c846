import { configOption, defineCommand, flag } from './command.ts';

export const serve = defineCommand({
  options: {
    config: configOption,
    welcome: flag('print where to go next, once the server is ready'),
  },
  help: `Serves until it gets SIGTERM or SIGINT. Then it answers the requests under way, commits queued records and
stops its PostgreSQL. It migrates the database when it starts. Log lines go to stderr. SIGHUP loads parsers and plugins
again and reads the TLS certificate, which the server also reads when its files change. Closing the terminal
stops the server.

Without any configuration it listens on 127.0.0.1:8080 and keeps its data, in its own PostgreSQL,
in /var/lib/telemetricsd. "telemetricsd config --help" says how to change that.

Exit codes: 0 stopped by a signal, 1 it could not start or go on, 2 wrong usage, 78 wrong configuration.

Examples:
  telemetricsd serve
  telemetricsd serve --config ./test.toml
  TELEMETRICSD_STATE_DIR=./state TELEMETRICSD_HTTP_LISTEN=:8080 telemetricsd serve --welcome`,

  async run({ options }) {
    const { serveUntilStopped } = await import('../serve.ts');
    return serveUntilStopped(options);
  },
});
