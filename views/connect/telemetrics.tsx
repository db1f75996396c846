import type { FC } from 'hono/jsx';
import { CopyLines } from '../records/payload.tsx';
import { Arriving, type ArrivingProps, CommandLine, NumberedStep, SeeWhatCame, type ShellCommand } from './step.tsx';

export interface TelemetricsProps extends ArrivingProps {
  /** The value of `server=`, with the collector's path. */
  serverUrl: string;
  /** The name in it, where it is one that this page was not reached by. */
  toResolve?: string | undefined;
  tids: { id: string; name: string }[];
  /** To run on the machine, in this order, once it is configured. */
  commands: ShellCommand[];
}

/** The steps for a machine that has the telemetrics client of Clear Linux. */
export const Telemetrics: FC<TelemetricsProps> = props => (
  <>
    <ol class="steps">
      <NumberedStep title="Point the client at this server">
        <Configuration {...props} />
      </NumberedStep>
      <NumberedStep title="Let it take effect">
        {props.commands.map((command, n) => (
          <CommandLine command={command} id={`command-${n}`} />
        ))}
      </NumberedStep>
      <NumberedStep title="Watch the first record arrive">
        <Arriving {...props} />
        <NothingArrives />
      </NumberedStep>
    </ol>
    <h2>What is sent</h2>
    <p>
      The client decides: crashes with their backtraces, reports of the kernel, hardware errors, updates and a heartbeat
      a day, each with the build, the kernel and the hardware of the machine. Its own files say what its probes collect.
    </p>
    <h2>To undo it</h2>
    <CommandLine
      id="undo"
      command={{ what: 'This stops the client and removes what it has not sent yet:', line: 'sudo telemctl opt-out' }}
    />
  </>
);

const FILE = '/etc/telemetrics/telemetrics.conf';

const COPY: ShellCommand = {
  what: 'Clients since 2.3 come without a configuration in /etc. This copies the one that they ship, unless there is one:',
  line: `sudo mkdir -p /etc/telemetrics && sudo cp -n /usr/share/defaults/telemetrics/telemetrics.conf /etc/telemetrics/`,
};

const Configuration: FC<TelemetricsProps> = ({ serverUrl, toResolve, tids }) => (
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
        On the machine, <code>journalctl -u telempostd</code> shows what the client met (<code>-u telemd</code> for
        1.x), and <code>ls /var/spool/telemetry</code> lists the records that it could not send.
      </li>
      <li>
        Run the line of <a href="/telemetryui/connect?way=curl">Any shell</a> there: it shows whether the machine
        reaches this server, and what the server answers.
      </li>
      <SeeWhatCame />
    </ul>
  </>
);
