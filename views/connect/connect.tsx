import type { FC, PropsWithChildren } from 'hono/jsx';
import type { StoredRecord } from '../../src/records/record.ts';
import { type Frame, Page } from '../layout.tsx';
import { Arrivals } from '../overview/arrivals.tsx';
import { CopyLines } from '../records/payload.tsx';

export interface Command {
  /** What it does, as a sentence. */
  what: string;
  line: string;
}

export interface ConnectPageProps {
  frame: Frame;
  /** The value of `server=`, with the collector's path. */
  serverUrl: string;
  /** The name in it, where it is one that this page was not reached by. */
  toResolve?: string | undefined;
  tids: { id: string; name: string }[];
  /** To run on the machine, in this order, once it is configured. */
  commands: Command[];
  /** A line that posts a test record from any shell. */
  curl: string;
  /** The newest record's id when the page was first opened, 0 without one. */
  latest: number;
  /** Records newer than that, oldest first. */
  arrived?: StoredRecord[] | undefined;
  /** False when the server listens on loopback alone. */
  reachable: boolean;
}

export const ConnectPage: FC<ConnectPageProps> = props => (
  <Page
    frame={props.frame}
    title="Connect machines"
    help="connect"
    current="connect"
    lead="Three steps on each machine that runs the telemetrics client; its first record appears below."
    live
  >
    {!props.reachable && <LoopbackWarning />}
    <ol class="steps">
      <Step title="Point the client at this server">
        <Configuration {...props} />
      </Step>
      <Step title="Let it take effect">
        {props.commands.map((command, n) => (
          <CommandLine command={command} id={`command-${n}`} />
        ))}
      </Step>
      <Step title="Watch the first record arrive">
        <Arriving {...props} />
        <CommandLine command={{ what: 'Or send a test record from any shell:', line: props.curl }} id="curl" />
        <NothingArrives />
      </Step>
    </ol>
  </Page>
);

const LoopbackWarning: FC = () => (
  <aside class="notice warning" aria-label="Warning">
    <p>
      <b>Other machines cannot reach this server yet:</b> it listens on this host's loopback address alone. Set{' '}
      <code>http.listen</code> in <code>/etc/telemetricsd/config.toml</code> and restart:
    </p>
    <CopyLines id="listen" what="setting" text={'[http]\nlisten = "0.0.0.0:8080"'} />
    <p>
      or in the environment, <code>TELEMETRICSD_HTTP_LISTEN=0.0.0.0:8080</code>. Whoever reaches that address reaches
      these pages, too; an address with <code>serves = "collector"</code> takes records and nothing else.
    </p>
  </aside>
);

const Step: FC<PropsWithChildren<{ title: string }>> = ({ title, children }) => (
  <li>
    <h2>{title}</h2>
    {children}
  </li>
);

const FILE = '/etc/telemetrics/telemetrics.conf';

const COPY: Command = {
  what: 'Clients since 2.3 come without a configuration in /etc. This copies the one that they ship, unless there is one:',
  line: `sudo mkdir -p /etc/telemetrics && sudo cp -n /usr/share/defaults/telemetrics/telemetrics.conf /etc/telemetrics/`,
};

const Configuration: FC<ConnectPageProps> = ({ serverUrl, toResolve, tids }) => (
  <>
    <CommandLine command={COPY} id="copy" />
    <p>
      In <code>{FILE}</code>, set these two lines under <code>[settings]</code>
      {tids.length > 1 && ', those of its fleet'}. Those that are shipped may begin with <code>#</code>: replace them.
    </p>
    {tids.map(({ id, name }) => {
      const lines = [`server=${serverUrl}`, `tidheader=X-Telemetry-TID: ${id}`];
      return (
        <>
          {tids.length > 1 && <h3>{name}</h3>}
          <CopyLines id={`conf-${id}`} what={`lines for fleet ${name}`} text={lines.join('\n')} />
          <CommandLine command={{ what: 'The same as a command:', line: setLines(lines) }} id={`set-${id}`} />
        </>
      );
    })}
    {serverUrl.startsWith('https:') && (
      <p>
        If an authority of your own signed this server's certificate, also set <code>cainfo=</code> to the path of its
        certificate on the machine, which the user <code>telemetry</code> must be able to read.
      </p>
    )}
    {toResolve && (
      <p class="small">
        Machines must be able to resolve the name <code>{toResolve}</code>; where they cannot, set{' '}
        <code>http.public_url</code> to the URL by which they reach this server.
      </p>
    )}
  </>
);

/** Whether they begin with # there or not. */
function setLines(lines: string[]) {
  const replacements = lines.map(line => `s|^#*${line.slice(0, line.indexOf('='))}=.*|${line}|`);
  return `sudo sed -i '${replacements.join('; ')}' ${FILE}`;
}

/** What helps on the machine, and on the server. */
const NothingArrives: FC = () => (
  <>
    <h3>Nothing arrives?</h3>
    <ul>
      <li>Wait 2 to 5 minutes: when a client could not send, it tries again only then.</li>
      <li>
        On the machine, <code>journalctl -u telempostd</code> says what the client met (<code>-u telemd</code> for 1.x),
        and <code>ls /var/spool/telemetry</code> lists the records that it could not send.
      </li>
      <li>Run the line above there: it says whether the machine reaches this server, and what the server answers.</li>
      <li>
        <a href="/telemetryui/status">Status</a> and <a href="/telemetryui/quarantine">Quarantine</a> show what came and
        what was refused.
      </li>
      <li>
        The manual has <a href="/telemetryui/help/connect#when-no-record-arrives">all steps</a>.
      </li>
    </ul>
  </>
);

const CommandLine: FC<{ command: Command; id: string }> = ({ command, id }) => (
  <>
    <p>{command.what}</p>
    <CopyLines id={id} what="command" text={command.line} />
  </>
);

const Arriving: FC<ConnectPageProps> = ({ latest, arrived = [] }) => (
  <>
    {/* The region stays and only its content is exchanged: a replaced live region is not read out. */}
    <div
      id="arrivals"
      role="status"
      hx-get={`/telemetryui/connect/arrivals?since=${latest}`}
      hx-trigger="every 2s"
      hx-swap="innerMorph"
      hx-sync="this:drop"
      data-idle-when-hidden
    >
      <Arrivals since={latest} records={arrived} waiting={arrived.length === 0} />
    </div>
    <p class="small">
      <a href={`/telemetryui/connect?since=${latest}#arrivals`}>Look again</a>
    </p>
  </>
);
