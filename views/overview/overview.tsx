import type { FC, PropsWithChildren } from 'hono/jsx';
import type { ParserTrouble } from '../../src/parsers/parsers.ts';
import { slotsOf } from '../../src/time/window.ts';
import type { DrawnBuild } from '../builds/build-name.tsx';
import { BuildName } from '../builds/build-name.tsx';
import { GuiltyName } from '../crashes/guilty-name.tsx';
import { guiltyPath } from '../crashes/links.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { BarCell } from '../parts/bars.tsx';
import { recordsPath } from '../parts/links.ts';
import { count, counted, EmptyState, Scroll, Time } from '../parts/parts.tsx';
import { SlotChart } from '../parts/slot-chart.tsx';

interface OverviewPageProps {
  frame: PageFrame;
  /** Of the newest record; undefined where there is none. */
  last: { at: Date; stopped: boolean } | undefined;
  /** What the limits of fleets turned away within the last hour; `requests` since the server started. */
  excesses: { fleet: string; kind: 'forbidden' | 'postponed' | 'dropped'; requests: number; lastAt: Date }[];
  /** Parsers that do not work. */
  parsers: ParserTrouble[];
  /** Machines whose probe is older than the version that this server carries, by their heartbeats since then. */
  probes: { since: Date; outdated: { version: number; machines: number }[]; carried: number };
  /** The last 24 hours, oldest first. */
  hours: { hour: Date; records: number; weekBefore: number }[];
  machines: { today: number; threeDays: number };
  /** Of the last three days. */
  adoption: { systemName: string; build: string; since: string; machines: number; ofMachines: number }[];
  /** The builds that charts draw. */
  drawn: DrawnBuild[];
  /** Of the last seven days. */
  top: { id: number; function: string; module: string; records: number; machines: number }[];
  /** Guilties that were never seen before yesterday. */
  fresh: { id: number; function: string; module: string; systems: string[]; firstBuild: string; machines: number }[];
  machineChecks: { classification: string; records: number; weekBefore: number }[];
  /** As configured. */
  checkClassifications: string[];
  /** Whether this is the built executable: tells how to get sample data. */
  demoCommand: string;
}

export const OverviewPage: FC<OverviewPageProps> = props => (
  <Page frame={props.frame} title="Overview" help="views" current="overview">
    {props.excesses.length > 0 && <Excesses excesses={props.excesses} now={props.frame.now} />}
    {props.parsers.length > 0 && <ParserTroubles parsers={props.parsers} />}
    {props.probes.outdated.length > 0 && <OldProbes {...props.probes} now={props.frame.now} />}
    {props.last ? <Overview {...props} last={props.last} /> : <NothingYet demoCommand={props.demoCommand} />}
  </Page>
);

const NothingYet: FC<{ demoCommand: string }> = ({ demoCommand }) => (
  <EmptyState title="No record has arrived yet">
    <p>
      <a href="/telemetryui/connect">Connect machines</a>, and what they report shows up here.
    </p>
    <p class="soft">
      To look around first, fill the database with sample data: <code>{demoCommand}</code>
    </p>
  </EmptyState>
);

const Overview: FC<OverviewPageProps & { last: { at: Date; stopped: boolean } }> = props => {
  const { frame, last, hours, machines, adoption, drawn, top, fresh, machineChecks, checkClassifications } = props;
  const records = sum(hours.map(hour => hour.records));
  const weekBefore = sum(hours.map(hour => hour.weekBefore));
  return (
    <>
      {last.stopped && (
        <p class="notice warning" role="status">
          <b>Records stopped coming.</b> The last one came <Time at={last.at} now={frame.now} />. Check whether machines
          still reach this server: <a href="/telemetryui/connect">how they connect</a>.
        </p>
      )}
      <ul class="figures" aria-label="At a glance">
        <Figure
          title="Records in 24 hours"
          n={records}
          href={recordsPath({ from: hours[0]?.hour.toISOString().slice(0, 16) })}
        >
          <Change n={records} before={weekBefore} than="a week earlier" />
        </Figure>
        <Figure title="Machine ids in 3 days" n={machines.threeDays} href="/telemetryui/population">
          {count(machines.today)} today
        </Figure>
        <Figure
          title="Machine checks in 7 days"
          n={sum(machineChecks.map(c => c.records))}
          href={recordsPath({
            classification: checkClassifications.join(','),
            from: slotsOf({ days: 7 }, frame.now)[0],
          })}
        >
          <Change
            n={sum(machineChecks.map(c => c.records))}
            before={sum(machineChecks.map(c => c.weekBefore))}
            than="the 7 days before"
          />
        </Figure>
        <Figure title="Refused, in quarantine" n={frame.quarantined} href="/telemetryui/quarantine">
          {frame.quarantined === 0 ? 'all records were understood' : 'see why, and replay'}
        </Figure>
        <li>
          <h2>Last record</h2>
          <p class="figure">
            <Time at={last.at} now={frame.now} />
          </p>
        </li>
      </ul>
      <SlotChart
        slot="Hour"
        slots={hours.map(({ hour }) => hourSlot(hour))}
        bars={[{ name: 'Records an hour', values: hours.map(hour => hour.records) }]}
        line={{ name: 'A week earlier', values: hours.map(hour => hour.weekBefore) }}
        unit="records"
      />
      <div class="halves">
        <Part
          title="Top crashes of the last 7 days"
          more={['All crashes', '/telemetryui/crashes']}
          empty={top.length === 0 && 'No crash was reported and analysed in the last 7 days.'}
        >
          <TopTable top={top} />
        </Part>
        <Part
          title="Newest builds and who has them"
          more={['Population', '/telemetryui/population']}
          empty={adoption.length === 0 && 'No machine that names its system reported in the last 3 days.'}
        >
          <AdoptionTable frame={frame} adoption={adoption} drawn={drawn} />
        </Part>
        <Part
          title="New guilties since yesterday"
          more={['What a guilty is', '/telemetryui/help/crashes#what-a-guilty-is']}
          empty={fresh.length === 0 && 'No function crashed for the first time.'}
        >
          <FreshTable fresh={fresh} />
        </Part>
        <Part
          title="Machine checks of the last 7 days"
          more={['MCE', '/telemetryui/mce']}
          empty={machineChecks.length === 0 && 'None in the last 14 days.'}
        >
          <MachineChecksTable frame={frame} machineChecks={machineChecks} />
        </Part>
      </div>
    </>
  );
};

const BECAME = {
  forbidden: 'from outside its networks were refused',
  postponed: 'past its limits were told to come again later',
  dropped: 'past its limits were dropped and are lost',
};

const Excesses: FC<Pick<OverviewPageProps, 'excesses'> & { now: Date }> = ({ excesses, now }) => (
  <div class="notice warning" role="status">
    <p>
      <b>Limits turn records away</b> (<code>collector.tids</code>). Since this server started:
    </p>
    {excesses.map(({ fleet, kind, requests, lastAt }) => (
      <p>
        {counted(requests, 'request')} of the fleet <b>{fleet}</b> {BECAME[kind]}; the last one came{' '}
        <Time at={lastAt} now={now} />.
      </p>
    ))}
  </div>
);

/** So many are named. */
const PROBE_VERSIONS = 5;

const OldProbes: FC<OverviewPageProps['probes'] & { now: Date }> = ({ since, outdated, carried, now }) => {
  const machines = sum(outdated.map(({ machines }) => machines));
  return (
    <div class="notice warning" role="status">
      <p>
        <b>
          {counted(machines, 'machine')} {machines === 1 ? 'reports' : 'report'} with an older probe
        </b>{' '}
        than version {carried}, which this server carries. Run <a href="/telemetryui/connect">the installer</a> there
        again.
      </p>
      <p>
        These are the daily heartbeats since <Time at={since} now={now} />:{' '}
        {outdated.slice(0, PROBE_VERSIONS).map(({ version }, n) => (
          <>
            {n > 0 && ', '}
            <a href={recordsPath({ classification: 'telemetricsd/heartbeat/ping', 'parsed.probe': String(version) })}>
              version {version}
            </a>
          </>
        ))}
        .
      </p>
    </div>
  );
};

const REASON = 300;

const ParserTroubles: FC<Pick<OverviewPageProps, 'parsers'>> = ({ parsers }) => (
  <div class="notice error" role="status">
    {parsers.map(({ name, reason }) => (
      <p>
        <b>The parser {name} is disabled:</b> {reason.length > REASON ? `${reason.slice(0, REASON)}…` : reason}
      </p>
    ))}
    <p>
      Records wait for a parser that failed until it is mended and the server loads it again (
      <code>systemctl reload telemetricsd</code>, or SIGHUP, or a restart): <a href="/telemetryui/parsers">Parsers</a>.
    </p>
  </div>
);

/** `2026-11-23 21:00` and `21:00` */
const hourSlot = (hour: Date) => {
  const name = hour.toISOString().slice(0, 16).replace('T', ' ');
  return { name, tick: name.slice(11) };
};

const sum = (numbers: number[]): number => numbers.reduce((total, n) => total + n, 0);

const Figure: FC<PropsWithChildren<{ title: string; n: number; href: string }>> = ({ title, n, href, children }) => (
  <li>
    <h2>{title}</h2>
    <p class="figure">
      <a href={href}>{count(n)}</a>
    </p>
    <p class="soft">{children}</p>
  </li>
);

/** How a number compares with an earlier one, in words: more is neither good nor bad here. */
const Change: FC<{ n: number; before: number; than: string }> = ({ n, before, than }) => {
  if (before === 0) return <>none {than}</>;
  const percent = Math.round((100 * (n - before)) / before);
  if (percent === 0) return <>as many as {than}</>;
  return (
    <>
      {percent > 0 ? '▲' : '▼'} {count(Math.abs(percent))} % {percent > 0 ? 'more' : 'fewer'} than {than}
    </>
  );
};

interface PartProps {
  title: string;
  /** A link to the whole: its text and address. */
  more?: [string, string] | undefined;
  /** What is said instead of the content. */
  empty: string | false;
}

const Part: FC<PropsWithChildren<PartProps>> = ({ title, more, empty, children }) => (
  <section>
    <div class="heading">
      <h2>{title}</h2>
      {more && (
        <nav class="links" aria-label={title}>
          <a href={more[1]}>{more[0]}</a>
        </nav>
      )}
    </div>
    {empty ? <p class="soft">{empty}</p> : children}
  </section>
);

const FreshTable: FC<Pick<OverviewPageProps, 'fresh'>> = ({ fresh }) => (
  <Scroll label="New guilties">
    <table>
      <thead>
        <tr>
          <th>Guilty</th>
          <th>First on</th>
          <th class="num">Machines</th>
        </tr>
      </thead>
      <tbody>
        {fresh.map(guilty => (
          <tr>
            <td class="guilty-cell">
              <GuiltyName guilty={guilty} href={guiltyPath(guilty.id)} />
            </td>
            <td>
              {guilty.systems.join(', ')} <span class="mono">{guilty.firstBuild}</span>
            </td>
            <td class="num">{count(guilty.machines)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);

const TopTable: FC<Pick<OverviewPageProps, 'top'>> = ({ top }) => {
  const most = Math.max(...top.map(guilty => guilty.records));
  return (
    <Scroll label="Top crashes">
      <table>
        <thead>
          <tr>
            <th>Guilty</th>
            <th class="num">Records</th>
            <th class="num">Machines</th>
          </tr>
        </thead>
        <tbody>
          {top.map(guilty => (
            <tr>
              <td class="guilty-cell">
                <GuiltyName guilty={guilty} href={guiltyPath(guilty.id)} />
              </td>
              <BarCell n={guilty.records} of={most} />
              <td class="num">{count(guilty.machines)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
};

const AdoptionTable: FC<Pick<OverviewPageProps, 'frame' | 'adoption' | 'drawn'>> = ({ frame, adoption, drawn }) => (
  <Scroll label="Newest builds">
    <table>
      <thead>
        <tr>
          <th>OS</th>
          <th>Build</th>
          <th>First day</th>
          <th class="num">Machine ids, 3 days</th>
          <th class="num">of the OS</th>
        </tr>
      </thead>
      <tbody>
        {adoption.map(({ systemName, build, since, machines, ofMachines }) => (
          <tr>
            <td>{systemName}</td>
            <th scope="row">
              <BuildName os={systemName} build={build} drawn={drawn} />
            </th>
            <td class="nowrap">{since}</td>
            <BarCell
              n={machines}
              of={ofMachines}
              href={recordsPath({ os: systemName, build, from: slotsOf({ days: 3 }, frame.now)[0] })}
            />
            <td class="num soft">{((100 * machines) / ofMachines).toFixed(0)} %</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);

const MachineChecksTable: FC<Pick<OverviewPageProps, 'frame' | 'machineChecks'>> = ({ frame, machineChecks }) => {
  const [weekBegin] = slotsOf({ days: 7 }, frame.now);
  const most = Math.max(...machineChecks.map(({ records }) => records));
  return (
    <Scroll label="Machine checks">
      <table>
        <thead>
          <tr>
            <th>Classification</th>
            <th class="num">Records</th>
            <th class="num">7 days before</th>
          </tr>
        </thead>
        <tbody>
          {machineChecks.map(({ classification, records, weekBefore }) => (
            <tr>
              <th scope="row">
                <a href={recordsPath({ classification, from: weekBegin })}>{classification}</a>
              </th>
              <BarCell n={records} of={most} />
              <td class="num">{count(weekBefore)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
};
