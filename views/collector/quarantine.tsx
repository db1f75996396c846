import type { FC } from 'hono/jsx';
import type { QuarantineListRow, QuarantineReasonRow } from '../../src/collector/quarantine.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { quarantinePath } from '../parts/links.ts';
import { Cut, count, counted, EmptyState, type NoticeProps, Pager, Scroll, size, Time } from '../parts/parts.tsx';
import { DiscardForm, ReplayForm } from './quarantine-forms.tsx';

/** A record that was refused and kept. */
export interface QuarantineEntry extends QuarantineListRow {
  headers: [string, string][];
  payload: string;
  scrubbedBy: string[];
}

/** What is kept, and how much may be. */
interface QuarantineUsage {
  entries: number;
  maxEntries: number;
  bytes: number;
  maxBytes: number;
}

interface QuarantinePageProps {
  frame: PageFrame;
  reasons: QuarantineReasonRow[];
  entries: QuarantineListRow[];
  /** The reason that the list is narrowed to. */
  selected?: string | undefined;
  olderHref?: string | undefined;
  newerHref?: string | undefined;
  limits: QuarantineUsage;
  notice?: NoticeProps | undefined;
}

const LEAD =
  'A record that cannot be stored as it came is kept here with the reason, so that the machine can send on ' +
  'and nothing is lost; once the cause is mended, replay it.';

export const QuarantinePage: FC<QuarantinePageProps> = props => (
  <Page
    frame={props.frame}
    title="Quarantine"
    help="records#quarantine"
    current="quarantine"
    lead={LEAD}
    notice={props.notice}
  >
    {props.reasons.length ? <Kept {...props} /> : <NothingKept />}
  </Page>
);

const NothingKept: FC = () => (
  <EmptyState title="Nothing in quarantine">
    <p>Every record that arrived could be stored.</p>
  </EmptyState>
);

const Kept: FC<QuarantinePageProps> = props => (
  <>
    <p class="soft">{usage(props.limits)}</p>
    <Reasons {...props} />
    <h2>{props.selected ? `Refused because of “${props.selected}”` : 'Refused records, newest first'}</h2>
    {props.selected && !props.frame.readonly && <ReasonActions {...props} reason={props.selected} />}
    {props.entries.length ? (
      <Entries {...props} />
    ) : (
      <EmptyState title="None are left for this reason">
        <p>
          <a href="/telemetryui/quarantine">Show all of the quarantine</a>
        </p>
      </EmptyState>
    )}
    <Pager newerHref={props.newerHref} olderHref={props.olderHref} />
  </>
);

const usage = (kept: QuarantineUsage): string =>
  `${count(kept.entries)} of at most ${counted(kept.maxEntries, 'record')} kept, ` +
  `${size(kept.bytes)} of ${size(kept.maxBytes)}. Past either, the oldest go.`;

const Reasons: FC<QuarantinePageProps> = ({ frame, reasons, selected }) => (
  <Scroll label="Reasons" fit>
    <table>
      <thead>
        <tr>
          <th>Reason</th>
          <th class="num">Records</th>
          <th>Newest</th>
        </tr>
      </thead>
      <tbody>
        {reasons.map(row => (
          <tr class={row.reason === selected ? 'chosen' : undefined}>
            <td class="rest-text">
              <a href={quarantinePath(row.reason)} aria-current={row.reason === selected ? 'true' : undefined}>
                {row.reason}
              </a>
            </td>
            <td class="num">{count(row.count)}</td>
            <td class="nowrap">
              <Time at={row.newest} now={frame.now} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);

const ReasonActions: FC<QuarantinePageProps & { reason: string }> = ({ reasons, reason }) => {
  const records = counted(reasons.find(row => row.reason === reason)?.count ?? 0, 'record');
  return (
    <div class="row">
      <ReplayForm name="reason" value={reason} label={`Replay ${records}`} primary />
      <DiscardForm name="reason" value={reason} label={`Discard ${records}`} />
      <a href="/telemetryui/quarantine">Show all reasons</a>
    </div>
  );
};

const Entries: FC<QuarantinePageProps> = ({ frame, entries }) => (
  <Scroll label="Refused records">
    <table>
      <thead>
        <tr>
          <th class="num">Entry</th>
          <th>Received</th>
          <th>Machine</th>
          <th>Address</th>
          <th>Fleet</th>
          <th class="num">Seen</th>
          <th>Reason</th>
          <th class="num">Size</th>
        </tr>
      </thead>
      <tbody>
        {entries.map(entry => (
          <EntryRow entry={entry} now={frame.now} />
        ))}
      </tbody>
    </table>
  </Scroll>
);

const EntryRow: FC<{ entry: QuarantineListRow; now: Date }> = ({ entry, now }) => (
  <tr>
    <td class="num">
      <a href={`/telemetryui/quarantine/${entry.id}`}>{entry.id}</a>
    </td>
    <td class="nowrap">
      <Time at={entry.lastAt} now={now} />
    </td>
    <td>{entry.machineId ? <Cut text={entry.machineId} /> : <span class="soft">not given</span>}</td>
    <td class="mono nowrap">{entry.address ?? <span class="soft">unknown</span>}</td>
    <td>{entry.fleet}</td>
    <td class="num">{`${count(entry.attempts)} ×`}</td>
    <td class="rest-text">{entry.reason}</td>
    <td class="num">{size(entry.bytes)}</td>
  </tr>
);
