import type { FC } from 'hono/jsx';
import { Page, type PageFrame } from '../layout.tsx';
import { CopyLines } from '../records/payload.tsx';
import { Abrt, type AbrtProps } from './abrt.tsx';
import { Arriving, CommandLine, NumberedStep, SeeWhatCame } from './step.tsx';
import { Systemd, type SystemdProps } from './systemd.tsx';
import { Telemetrics, type TelemetricsProps } from './telemetrics.tsx';

export const WAYS = ['systemd', 'abrt', 'telemetrics', 'curl'] as const;

export type Way = (typeof WAYS)[number];

interface ConnectPageProps extends SystemdProps, AbrtProps, TelemetricsProps {
  frame: PageFrame;
  way: Way;
  /** A line that posts a test record from any shell. */
  curl: string;
  /** The port of its only addresses, where the server listens on loopback alone. */
  loopbackPort: number | undefined;
}

const NAMES: Record<Way, string> = {
  systemd: 'Machine with systemd',
  abrt: 'ABRT',
  telemetrics: 'Telemetrics client',
  curl: 'Any shell',
};

export const ConnectPage: FC<ConnectPageProps> = props => (
  <Page
    frame={props.frame}
    title="Connect machines"
    help="connect"
    current="connect"
    lead="Choose how a machine is to report; its first record appears below."
    live
  >
    {props.loopbackPort !== undefined && <LoopbackWarning port={props.loopbackPort} />}
    <nav class="ways" aria-label="Ways to report">
      {WAYS.map(way => (
        <a class="way" href={pathOfWay(way)} aria-current={way === props.way ? 'page' : undefined}>
          {NAMES[way]}
        </a>
      ))}
    </nav>
    {props.way === 'systemd' && <Systemd {...props} />}
    {props.way === 'abrt' && <Abrt {...props} />}
    {props.way === 'telemetrics' && <Telemetrics {...props} />}
    {props.way === 'curl' && <AnyShell {...props} />}
  </Page>
);

export function pathOfWay(way: Way): string {
  return way === 'systemd' ? '/telemetryui/connect' : `/telemetryui/connect?way=${way}`;
}

/** One line, to try the server or to report from a script. */
const AnyShell: FC<ConnectPageProps> = props => (
  <>
    <ol class="steps">
      <NumberedStep title="Send a record">
        <CommandLine command={{ what: 'This line posts a test record:', line: props.curl }} id="curl" />
      </NumberedStep>
      <NumberedStep title="Watch it arrive">
        <Arriving {...props} />
        <ul>
          <li>The answer to the line is the stored record, or says what was wrong with it.</li>
          <SeeWhatCame />
        </ul>
      </NumberedStep>
    </ol>
    <h2>What is sent</h2>
    <p>What the line says and nothing else. A script of your own sends what you put into it.</p>
    <h2>To undo it</h2>
    <p>Nothing stays on the machine.</p>
  </>
);

const LoopbackWarning: FC<{ port: number }> = ({ port }) => (
  <aside class="notice warning" aria-label="Warning">
    <p>
      <b>Other machines cannot reach this server yet:</b> it listens on this host's loopback address alone. Set{' '}
      <code>http.listen</code> in <code>/etc/telemetricsd/config.toml</code> and restart:
    </p>
    <CopyLines id="listen" what="setting" text={`[http]\nlisten = "0.0.0.0:${port}"`} />
    <p>
      Where the environment has <code>TELEMETRICSD_HTTP_LISTEN</code>, it goes before the file: set{' '}
      <code>0.0.0.0:{port}</code> there. Whoever reaches that address reaches these pages, too; an address with{' '}
      <code>serves = "collector"</code> takes records and nothing else.
    </p>
  </aside>
);
