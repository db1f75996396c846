import type { FC } from 'hono/jsx';
import { exact } from '../../src/time/ago.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { quarantinePath, recordsPath } from '../parts/links.ts';
import { count, EmptyState, type NoticeProps, Scroll, size, Time } from '../parts/parts.tsx';
import { visible } from '../parts/visible.ts';
import { PayloadBlock, ScrubbedNote } from '../records/payload.tsx';
import type { QuarantineEntry } from './quarantine.tsx';
import { DiscardForm, ReplayForm } from './quarantine-forms.tsx';

interface QuarantineEntryPageProps {
  frame: PageFrame;
  entry: QuarantineEntry;
  notice?: NoticeProps | undefined;
}

export const QuarantineEntryPage: FC<QuarantineEntryPageProps> = ({ frame, entry, notice }) => (
  <Page
    frame={frame}
    title={`Refused record ${entry.id}`}
    help="records#quarantine"
    current="quarantine"
    notice={notice}
  >
    <nav class="links" aria-label="This entry">
      <a href="/telemetryui/quarantine">← Quarantine</a>
      <a href={quarantinePath(entry.reason)}>All of this reason</a>
    </nav>
    <p class="notice error">{entry.reason}</p>
    {!frame.readonly && <EntryActions entry={entry} />}
    <EntryFacts entry={entry} now={frame.now} />
    <h2>Fields as they came</h2>
    <Headers entry={entry} />
    <h2>Payload</h2>
    <ScrubbedNote by={entry.scrubbedBy} />
    {entry.payload === '' ? (
      <EmptyState title="The payload is empty" />
    ) : (
      <PayloadBlock id="payload" payload={entry.payload} />
    )}
  </Page>
);

const EntryActions: FC<{ entry: QuarantineEntry }> = ({ entry }) => (
  <div class="row">
    <ReplayForm name="id" value={entry.id} label="Replay" primary />
    <ReplayForm name="reason" value={entry.reason} label="Replay all of this reason" />
    <DiscardForm name="id" value={entry.id} label="Discard" />
    <DiscardForm name="reason" value={entry.reason} label="Discard all of this reason" />
  </div>
);

const EntryFacts: FC<{ entry: QuarantineEntry; now: Date }> = ({ entry, now }) => (
  <div class="facts">
    <dl>
      <div>
        <dt>Last seen</dt>
        <dd>
          {exact(entry.lastAt)}, <Time at={entry.lastAt} now={now} />
        </dd>
      </div>
      <div>
        <dt>First seen</dt>
        <dd>{exact(entry.firstAt)}</dd>
      </div>
      <div>
        <dt>Times seen</dt>
        <dd>{count(entry.attempts)}</dd>
      </div>
    </dl>
    <dl>
      <div>
        <dt>Machine id</dt>
        <dd>
          {entry.machineId ? (
            <a class="mono" href={recordsPath({ machine_id: entry.machineId })}>
              {entry.machineId}
            </a>
          ) : (
            <span class="soft">not given</span>
          )}
        </dd>
      </div>
      <div>
        <dt>Address</dt>
        <dd class="mono">{entry.address ?? <span class="soft">unknown</span>}</dd>
      </div>
      <div>
        <dt>Fleet</dt>
        <dd>{entry.fleet}</dd>
      </div>
      <div>
        <dt>Size</dt>
        <dd>{size(entry.bytes)}</dd>
      </div>
    </dl>
  </div>
);

const Headers: FC<{ entry: QuarantineEntry }> = ({ entry }) => {
  if (entry.headers.length === 0) {
    return (
      <EmptyState title="No fields could be read">
        <p>The body below is all that came.</p>
      </EmptyState>
    );
  }
  return (
    <Scroll label="Fields as they came">
      <table>
        <thead>
          <tr>
            <th>Field</th>
            <th>Value</th>
          </tr>
        </thead>
        <tbody>
          {entry.headers.map(([name, value]) => (
            <tr class={isNamed(name, entry.field) ? 'at-fault' : undefined}>
              <th scope="row" class="mono">
                {visible(name)}
                {isNamed(name, entry.field) && <span class="unseen"> (the reason for the refusal)</span>}
              </th>
              <td class="mono rest-text">{visible(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
};

/** `Machine-Id` and `machine_id` are the same field. */
const isNamed = (name: string, field: string | null): boolean => field !== null && plain(name) === plain(field);

const plain = (name: string): string => name.toLowerCase().replaceAll('-', '_');
