import type { FC } from 'hono/jsx';
import { Scroll } from '../parts/parts.tsx';
import { Arriving, type ArrivingProps, CommandLine, NumberedStep, SeeWhatCame } from './step.tsx';

export interface AbrtProps extends ArrivingProps {
  /** The value of `URL` for the machines of each fleet. */
  servers: { tid: string; fleet: string; url: string }[];
}

const FILE = '/etc/libreport/plugins/ureport.conf';
const SETTINGS = ['URL', 'IncludeAuthData', 'AuthDataItems'];
/** Takes out what stands there; what is shipped are comments. */
const RESET = `sed -i '/^ *\\(${SETTINGS.join('\\|')}\\) *=/d' ${FILE}`;

/** The steps for a machine that has ABRT, as Fedora and RHEL do. */
export const Abrt: FC<AbrtProps> = props => (
  <>
    <ol class="steps">
      <NumberedStep title="Point ABRT at this server">
        {props.servers.map(({ tid, fleet, url }) => (
          <>
            {props.servers.length > 1 && <h3>{fleet}</h3>}
            <CommandLine
              id={`set-${tid}`}
              command={{
                what: `This sets three lines in ${FILE}:`,
                line: `sudo sh -c "${RESET} && printf '%s\\n' 'URL = ${url}' 'IncludeAuthData = yes' 'AuthDataItems = machineid' >> ${FILE}"`,
              }}
            />
          </>
        ))}
        <p>
          <code>AuthDataItems = machineid</code> lets the machine say which one it is. Without it its reports count as
          records, but nobody can tell whether a crash is on one machine or on a thousand: pages show them as “machine
          unknown”.
        </p>
        <p class="small">
          If an authority of your own signed this server's certificate, add it to those that the machine trusts (
          <code>/etc/pki/ca-trust/source/anchors</code>, then <code>update-ca-trust</code>).
        </p>
      </NumberedStep>
      <NumberedStep title="Let it report by itself">
        <CommandLine
          id="enable"
          command={{
            what: 'Without this, ABRT reports only what somebody on the machine asks it to:',
            line: 'sudo abrt-auto-reporting enabled',
          }}
        />
      </NumberedStep>
      <NumberedStep title="Watch the first report arrive">
        <Arriving {...props} />
        <CommandLine
          id="crash"
          command={{ what: 'This lets a program crash, for a first report:', line: 'sleep 60 & kill -SEGV $!' }}
        />
        <h3>Nothing arrives?</h3>
        <ul>
          <li>
            <code>abrt list</code> shows what ABRT has seen, and <code>journalctl -u abrtd</code> what it did.
          </li>
          <li>
            In the directory of a problem below <code>/var/spool/abrt</code>, <code>sudo reporter-ureport -vv</code>{' '}
            sends its report and prints what the server answered.
          </li>
          <SeeWhatCame />
        </ul>
      </NumberedStep>
    </ol>
    <h2>What is sent</h2>
    <p>
      A µReport for each problem. <code>sudo satyr abrt-print-report-from-dir DIRECTORY</code> prints the one of a
      directory below <code>/var/spool/abrt</code>, but for <code>auth</code>.
    </p>
    <WhatIsSent />
    <p>
      This server takes <code>auth</code> out before it stores a report. It keeps a hash of the machine id, which cannot
      be turned back, and nothing of a host name.
    </p>
    <h2>To undo it</h2>
    <CommandLine id="undo" command={{ what: 'This takes the lines out again:', line: `sudo ${RESET}` }} />
    <CommandLine
      id="disable"
      command={{ what: 'And this ends reports that nobody asks for:', line: 'sudo abrt-auto-reporting disabled' }}
    />
  </>
);

const SENT: [problem: string, what: string][] = [
  [
    'Every problem',
    'name, version and variant of the system, its architecture; names, versions and installation times of the packages involved; whether root ran the program; how often it happened',
  ],
  ['core', 'path of the program, signal, and of each frame the function, the file, its build id and the address'],
  ['kerneloops', 'all that the kernel wrote: hardware and name of the process among it; modules and taint flags'],
  ['python', 'type of the exception, and of each frame the function, the file and the line, with its source text'],
  [
    'java',
    'the exceptions with their messages; of each frame the method, the file, the line and where its class came from',
  ],
  ['ruby', 'class of the exception, and of each frame the method, the file and the line'],
  ['auth', 'the machine id'],
];

const WhatIsSent: FC = () => (
  <Scroll label="What ABRT sends">
    <table>
      <thead>
        <tr>
          <th scope="col">Of</th>
          <th scope="col">What</th>
        </tr>
      </thead>
      <tbody>
        {SENT.map(([problem, what]) => (
          <tr>
            <th scope="row">{problem}</th>
            <td class="rest-text">{what}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);
