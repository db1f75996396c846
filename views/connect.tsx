import type { FC, PropsWithChildren } from 'hono/jsx';
import type { StoredRecord } from '../src/records/record.ts';
import { Arrivals } from './arrivals.tsx';
import { type Frame, Page } from './layout.tsx';
import { CopyLines } from './payload.tsx';

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

const Configuration: FC<ConnectPageProps> = ({ serverUrl, toResolve, tids }) => (
  <>
    <p>
      In <code>/etc/telemetrics/telemetrics.conf</code>, replace the lines that begin with <code>server=</code> and{' '}
      <code>tidheader=</code>
      {tids.length > 1 ? ' by those of its fleet:' : ':'}
    </p>
    {tids.map(({ id, name }) => (
      <>
        {tids.length > 1 && <h3>{name}</h3>}
        <CopyLines
          id={`conf-${id}`}
          what={`lines for fleet ${name}`}
          text={`server=${serverUrl}\ntidheader=X-Telemetry-TID: ${id}`}
        />
      </>
    ))}
    {toResolve && (
      <p class="small">
        Machines must be able to resolve the name <code>{toResolve}</code>; where they cannot, set{' '}
        <code>http.public_url</code> to the URL by which they reach this server.
      </p>
    )}
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
