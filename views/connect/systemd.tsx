import type { FC } from 'hono/jsx';
import type { Sent } from '../../src/probe/sends.ts';
import { Scroll, Severity } from '../parts/parts.tsx';
import { CopyLines } from '../records/payload.tsx';
import { Arriving, type ArrivingProps, CommandLine, NumberedStep, SeeWhatCame } from './step.tsx';

/** The installer of the probe for the machines of a fleet. */
export interface Installer {
  tid: string;
  fleet: string;
  url: string;
  /** Of what is at the URL. */
  sha256: string;
}

export interface SystemdProps extends ArrivingProps {
  installers: Installer[];
  sends: readonly Sent[];
  /** The fields of a journal entry for a crash that are sent. */
  crashFields: readonly string[];
}

/** The steps for a machine with systemd: it gets our probe. */
export const Systemd: FC<SystemdProps> = props => (
  <>
    <ol class="steps">
      <NumberedStep title="Install the probe">
        <p>
          The machine needs systemd, <code>curl</code> and <code>awk</code>. The probe is a shell script that runs every
          five minutes as a user of its own, reads the journal and sends what went wrong.
        </p>
        {props.installers.map(installer => (
          <Install installer={installer} named={props.installers.length > 1} />
        ))}
      </NumberedStep>
      <NumberedStep title="Watch the first record arrive">
        <Arriving {...props} />
        <h3>Nothing arrives?</h3>
        <ul>
          <li>
            On the machine, <code>sudo telemetricsd-probe status</code> shows where it reports to, when it last did and
            why it pauses; <code>sudo telemetricsd-probe run</code> tries again at once.
          </li>
          <SeeWhatCame />
        </ul>
      </NumberedStep>
    </ol>
    <h2>What is sent</h2>
    <p>
      <code>sudo telemetricsd-probe preview</code> prints exactly what the machine would send now. The line{' '}
      <code>send =</code> in <code>/etc/telemetricsd-probe.conf</code> chooses among these. Every record also has the
      vendor, product and version of the machine, its board, BIOS and CPU model, the kernel, the OS and the build.
    </p>
    <SendsTable sends={props.sends} />
    <p>
      Of the journal entry for a crash, these fields are sent and no others: <code>{props.crashFields.join(' ')}</code>.
    </p>
    <p>
      Masked are paths below <code>/home</code>, <code>/media</code> and <code>/run/user</code> up to the name of the
      file, what units are instances of, and addresses, UUIDs and serial numbers in lines of the kernel. Not masked are
      names of users elsewhere, such as in <code>/data/alice</code>, and names of programs and files; the manual has{' '}
      <a href="/telemetryui/help/connect#what-the-probe-masks">the whole list</a>. The machine id is a hash that changes
      every three days and cannot be turned back, but a rare machine may be recognised by its hardware.
    </p>
    <h2>To undo it</h2>
    <CommandLine
      id="undo"
      command={{
        what: 'This removes the probe, its user, its configuration and everything it has written:',
        line: 'sudo telemetricsd-probe uninstall',
      }}
    />
  </>
);

const Install: FC<{ installer: Installer; named: boolean }> = ({ installer: { tid, fleet, url, sha256 }, named }) => (
  <>
    {named && <h3>{fleet}</h3>}
    {url.startsWith('https:') ? (
      <>
        <CopyLines id={`install-${tid}`} what="command" text={`curl -fsS ${url} | sudo sh`} />
        <p class="small">
          If an authority of your own signed this server's certificate:{' '}
          <code>curl -fsS --cacert FILE {url} | sudo sh -s -- --ca-file FILE</code>
        </p>
      </>
    ) : (
      <>
        <CommandLine
          id={`download-${tid}`}
          command={{
            what: 'This server does not use TLS, so anyone on the way could change what is downloaded. Download it first:',
            line: `curl -fsSo install-probe.sh ${url}`,
          }}
        />
        <CommandLine
          id={`install-${tid}`}
          command={{
            what: 'Then run it, if it is what this page says it is:',
            line: `echo '${sha256}  install-probe.sh' | sha256sum -c && sudo sh install-probe.sh`,
          }}
        />
      </>
    )}
    <p class="small">
      For packages and configuration management:{' '}
      {[
        'telemetricsd-probe.sh',
        'telemetricsd-probe.service',
        'telemetricsd-probe.timer',
        'telemetricsd-probe.conf',
      ].map((name, n) => (
        <>
          {n > 0 && ', '}
          <a href={`${url}/${name}`}>{name}</a>
        </>
      ))}
    </p>
  </>
);

/** With places where a narrow table may break it. */
function breakable(classification: string) {
  return classification.split('/').map((part, n) => (
    <>
      {n > 0 && '/'}
      {n > 0 && <wbr />}
      {part}
    </>
  ));
}

const SendsTable: FC<{ sends: readonly Sent[] }> = ({ sends }) => (
  <Scroll label="What the probe sends">
    <table>
      <thead>
        <tr>
          <th scope="col">Classification</th>
          <th scope="col">Severity</th>
          <th scope="col">What it is</th>
          <th scope="col">Word in send</th>
        </tr>
      </thead>
      <tbody>
        {sends.map(({ classification, severity, what, send, offByDefault }) => (
          <tr>
            <td class="mono">{breakable(classification)}</td>
            <td>
              <Severity level={severity} />
            </td>
            <td>{what}</td>
            <td>
              <code>{send}</code>
              {offByDefault && ', off by default'}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);
