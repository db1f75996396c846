import type { FC } from 'hono/jsx';
import type { GuiltyBuild } from '../../src/crashes/guilty-builds.ts';
import type { SeenOn } from '../../src/crashes/queries.ts';
import type { Shares } from '../../src/stats/queries.ts';
import { dayOf } from '../../src/time/ago.ts';
import type { DrawnBuild } from '../builds/build-name.tsx';
import { Page, type PageFrame } from '../layout.tsx';
import { BarTable } from '../parts/bars.tsx';
import { recordsPath } from '../parts/links.ts';
import { count, counted, EmptyState } from '../parts/parts.tsx';
import { recordsOfDays } from '../parts/scope-form.tsx';
import { daySlot, SlotChart } from '../parts/slot-chart.tsx';
import { visible } from '../parts/visible.ts';
import { RatesExplained } from '../rates/rate.tsx';
import { Attachments, type ShownAttachment } from './attachments.tsx';
import { CrashesFilterForm } from './filter.tsx';
import { JudgementForm } from './forms.tsx';
import { BuildsTable } from './guilty-builds.tsx';
import { FunctionName } from './guilty-name.tsx';
import {
  backtracesPath,
  type CrashFilter,
  crashesPath,
  type GuiltyRef,
  guiltyApiPath,
  guiltyPath,
  scope,
} from './links.ts';

interface GuiltyDetails extends GuiltyRef {
  comment: string;
  hidden: boolean;
  /** Of all time, on the OS and in the fleet that are chosen; null where nothing is put down to it. */
  firstSeen: Date | null;
  lastSeen: Date | null;
  lastSeenAnywhere: Date | null;
  /** What its crashes were put down to before, with comments that are not its own. */
  aliases: (GuiltyRef & { comment: string })[];
  seenOn: SeenOn[];
}

interface GuiltyPageProps {
  frame: PageFrame;
  guilty: GuiltyDetails;
  /** As it is in force: the OS and the window chosen or by default. */
  filter: CrashFilter;
  errors?: Record<string, string> | undefined;
  systems: string[];
  fleets: string[];
  /** In this window. */
  records: number;
  machines: number;
  /** Each day of the window, oldest first. */
  days: { day: string; records: number; machines: number }[];
  builds: Shares<GuiltyBuild>;
  drawn: DrawnBuild[];
  /** By `sys_vendor|product_name|product_version`, most first. */
  hostTypes: Shares<{ name: string; records: number }>;
  /** Also those that are not chosen. */
  onSystems: Shares<{ name: string; records: number }>;
  attachments: ShownAttachment[];
}

export const GuiltyPage: FC<GuiltyPageProps> = props => {
  const { frame, guilty, filter } = props;
  return (
    <Page
      frame={frame}
      title={brief(visible(guilty.function))}
      lead="A guilty: the function that is most likely to blame for the crashes counted here."
      help="crashes"
      current="crashes"
      live
      explore
    >
      <nav class="links" aria-label="This guilty">
        <a href={crashesPath(filter)}>← Crashes</a>
        <a href={backtracesPath(guilty.id, { ...filter, sort: undefined })}>Backtraces</a>
        <a href={guiltyApiPath(guilty.id, filter)}>JSON</a>
      </nav>
      {guilty.hidden && <p class="notice warning">Hidden: it is left out of the top crashes.</p>}
      <GuiltyFacts {...props} />
      {guilty.aliases.length > 0 && <Aliases aliases={guilty.aliases} />}
      {!frame.readonly && <Actions guilty={guilty} back={guiltyPath(guilty.id, filter)} />}
      <h2>{`In ${scope(filter)}`}</h2>
      <CrashesFilterForm {...props} action={guiltyPath(guilty.id)} />
      {props.records > 0 ? <Numbers {...props} /> : <NoneInWindow {...props} />}
      {props.attachments.length > 0 && <Attachments attachments={props.attachments} />}
    </Page>
  );
};

const TITLE = 100;

const brief = (name: string): string => (name.length > TITLE ? `${name.slice(0, TITLE - 1)}…` : name);

const GuiltyFacts: FC<GuiltyPageProps> = ({ frame, guilty, records, machines }) => {
  // Versions have an order within a system alone.
  const [only] = guilty.seenOn.length === 1 ? guilty.seenOn : [];
  return (
    <div class="facts">
      <dl>
        <div>
          <dt>Function</dt>
          <dd>
            <FunctionName text={guilty.function} />
          </dd>
        </div>
        <div>
          <dt>Module</dt>
          <dd class="mono">{visible(guilty.module)}</dd>
        </div>
        <div>
          <dt>In this window</dt>
          <dd>
            <b>{count(records)}</b> {records === 1 ? 'record' : 'records'}, <b>{count(machines)}</b>{' '}
            {machines === 1 ? 'machine' : 'machines'}
          </dd>
        </div>
      </dl>
      <dl>
        <Seen name="First seen" on={guilty.firstSeen} build={only?.firstBuild} />
        <Seen name="Last seen" on={guilty.lastSeen} build={only?.lastBuild} />
        {frame.readonly && guilty.comment && (
          <div>
            <dt>Comment</dt>
            <dd>{guilty.comment}</dd>
          </div>
        )}
      </dl>
    </div>
  );
};

const Seen: FC<{ name: string; on: Date | null; build: string | undefined }> = ({ name, on, build }) => (
  <div>
    <dt>{name}</dt>
    <dd>
      {on ? dayOf(on) : <span class="soft">never</span>}
      {build !== undefined && (
        <>
          , build <span class="mono">{build}</span>
        </>
      )}
    </dd>
  </div>
);

const Aliases: FC<Pick<GuiltyDetails, 'aliases'>> = ({ aliases }) => (
  <details class="aliases">
    <summary>Also counted here: what was put down to {counted(aliases.length, 'other name')}</summary>
    <ul>
      {aliases.map(({ function: name, module, comment }) => (
        <li>
          <FunctionName text={name} /> <span class="mono soft">{visible(module)}</span>
          {comment && `: ${comment}`}
        </li>
      ))}
    </ul>
  </details>
);

const Actions: FC<{ guilty: GuiltyDetails; back: string }> = ({ guilty, back }) => (
  <div class="row guilty-actions">
    <JudgementForm guilty={guilty} back={back} />
  </div>
);

const Numbers: FC<GuiltyPageProps> = ({ frame, guilty, filter, days, builds, drawn, hostTypes, onSystems }) => {
  const { os, fleet } = filter;
  const behind = { os, fleet, guilty: String(guilty.id) };
  const recordsOn = (from: string, to: string) => recordsOfDays(frame, { ...behind, from, to });
  return (
    <>
      <SlotChart
        slot="Day"
        slots={days.map(({ day }) => daySlot(day))}
        bars={[{ name: 'Records', values: days.map(({ records }) => records) }]}
        line={{ name: 'Machines', values: days.map(({ machines }) => machines) }}
        unit="records"
        explore
        hrefOf={(n, { name }) => (name === 'Records' ? recordsOn(days[n]!.day, days[n]!.day) : undefined)}
      />
      <p class="small soft">
        Machine ids change every 3 days, so one machine may count more than once over longer windows.
      </p>
      <h2>By build</h2>
      <BuildsTable id={guilty.id} filter={filter} builds={builds} drawn={drawn} />
      <RatesExplained what="this crash" leftOut={[]} />
      <div class="halves">
        <section>
          <h2>By hardware</h2>
          <BarTable
            label="Records by hardware"
            heads={['Hardware', 'Records']}
            whole={{ names: hostTypes.names, n: hostTypes.records }}
            rows={hostTypes.rows.map(({ name, records }) => ({
              name: hardware(name),
              href: name ? recordsPath({ ...behind, host_type: name, from: days[0]?.day }) : undefined,
              n: records,
            }))}
          />
        </section>
        <section>
          <h2>By OS</h2>
          <BarTable
            label="Records by OS"
            heads={['OS', 'Records']}
            whole={{ names: onSystems.names, n: onSystems.records }}
            rows={onSystems.rows.map(({ name, records }) => ({
              name: name || 'not named',
              href: name ? guiltyPath(guilty.id, { ...filter, os: name }) : undefined,
              n: records,
            }))}
          />
        </section>
      </div>
    </>
  );
};

const hardware = (hostType: string): string =>
  hostType
    .split('|')
    .filter(part => part.trim() !== '')
    .join(' · ') || 'not named';

const NoneInWindow: FC<GuiltyPageProps> = ({ guilty }) => (
  <EmptyState title="No record in this window">
    <p>
      {guilty.lastSeenAnywhere ? (
        <>The last one came on {dayOf(guilty.lastSeenAnywhere)}. Choose a longer window or another OS.</>
      ) : (
        'No record is put down to this function any more: retention has taken them, or the never-guilty list has changed since.'
      )}
    </p>
  </EmptyState>
);
