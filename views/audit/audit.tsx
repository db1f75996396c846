import type { FC } from 'hono/jsx';
import type { AuditRow } from '../../src/audit/audit.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { TextField } from '../parts/fields.tsx';
import { EmptyState, Pager, Scroll, Time } from '../parts/parts.tsx';
import { visible } from '../parts/visible.ts';

interface AuditPageProps {
  frame: PageFrame;
  entries: AuditRow[];
  filter: { who?: string | undefined; action?: string | undefined };
  olderHref?: string | undefined;
}

export const AuditPage: FC<AuditPageProps> = ({ frame, entries, filter, olderHref }) => (
  <Page frame={frame} title="Audit" help="access" lead="Who changed what, and who came in or tried to.">
    <form class="filters" method="get" action="/telemetryui/audit" data-tidy>
      <TextField name="who" label="Who" value={filter.who} />
      <TextField name="action" label="What" value={filter.action} placeholder="signed in" />
      <div class="actions">
        <button type="submit" class="primary">
          Show
        </button>
      </div>
    </form>
    {entries.length === 0 ? (
      <EmptyState title="Nothing was changed">
        <p>Changes, sign-ins and failed ones are listed here.</p>
      </EmptyState>
    ) : (
      <AuditTable frame={frame} entries={entries} />
    )}
    <Pager olderHref={olderHref} />
    <p>
      <a href="/api/audit">As JSON</a>
    </p>
  </Page>
);

const AuditTable: FC<Pick<AuditPageProps, 'frame' | 'entries'>> = ({ frame, entries }) => (
  <Scroll label="Audit">
    <table>
      <thead>
        <tr>
          <th>When</th>
          <th>Who</th>
          <th>From</th>
          <th>What</th>
          <th>Before</th>
          <th>After</th>
        </tr>
      </thead>
      <tbody>
        {entries.map(({ at, who, via, address, action, subject, before, after }) => (
          <tr>
            <td class="nowrap">
              <Time at={at} now={frame.now} />
            </td>
            <th scope="row">{visible(who)}</th>
            <td>{[via, address].filter(Boolean).join(', ')}</td>
            <td>
              {action} {subject && <span class="mono">{visible(subject)}</span>}
            </td>
            <td class="mono">{before && visible(JSON.stringify(before))}</td>
            <td class="mono">{after && visible(JSON.stringify(after))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);
