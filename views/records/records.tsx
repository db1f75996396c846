import type { FC } from 'hono/jsx';
import type { StoredRecord } from '../../src/records/record.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { exportPath, FILTERS, type FilterValues, recordPath, recordsPath } from '../parts/links.ts';
import { MachineCell } from '../parts/machine.tsx';
import { Cut, EmptyState, Pager, Scroll, Severity, Time } from '../parts/parts.tsx';
import { ActiveFilters, RecordsFilterForm } from './filter.tsx';
import { CountLater, FoundCount, type FoundProps } from './found.tsx';
import { PayloadCell } from './payload.tsx';

type RecordsFilter = FilterValues & {
  /** Messages by parameter name. */
  errors?: Record<string, string> | undefined;
};

interface RecordsPageProps {
  frame: PageFrame;
  records: StoredRecord[];
  filter: RecordsFilter;
  /** How many match; undefined if a separate request counts them. */
  found?: FoundProps['found'] | undefined;
  /** The search took too long, so there are none. */
  stopped?: boolean | undefined;
  newerHref?: string | undefined;
  olderHref?: string | undefined;
  pageSize: number;
  fleets: string[];
  systems: string[];
  /** Suggestions for the text fields. */
  builds?: string[] | undefined;
  classifications?: string[] | undefined;
}

export const RecordsPage: FC<RecordsPageProps> = props => (
  <Page frame={props.frame} title="Records" help="search" current="records" live>
    <RecordsFilterForm {...props} />
    <section id="results" tabindex={-1} aria-label="Records found">
      <div class="summary">
        <FoundLine {...props} />
        <ActiveFilters filter={props.filter} />
      </div>
      {props.records.length ? <RecordsTable {...props} /> : <NoRecords {...props} />}
      {props.records.length > 0 && <Exports {...props} />}
      <Pager newerHref={props.newerHref} olderHref={props.olderHref} swaps="results" />
    </section>
  </Page>
);

const Exports: FC<RecordsPageProps> = ({ frame, filter }) => (
  <nav class="links exports" aria-label="Exports">
    <a href={exportPath(filter, 'csv', frame.now)}>Show as CSV</a>
    <a href={exportPath(filter, 'csv', frame.now, 'download=1')} download>
      All as CSV
    </a>
    <a href={exportPath(filter, 'csv', frame.now, 'download=1&bom=1')} download>
      All for Excel
    </a>
    <a href={exportPath(filter, 'ndjson', frame.now, 'download=1')} download>
      All as NDJSON
    </a>
  </nav>
);

const FoundLine: FC<RecordsPageProps> = ({ found, filter, records }) => {
  if (filter.errors) return <p role="status"></p>;
  if (found) return <FoundCount found={found} />;
  return records.length > 0 ? <CountLater filter={filter} /> : <FoundCount found={{ n: 0, more: false }} />;
};

const RecordsTable: FC<RecordsPageProps> = ({ frame, records, pageSize }) => (
  <Scroll label="Records, newest first">
    <table class="records">
      <thead>
        <tr>
          <th class="num">Id</th>
          <th>Source</th>
          <th>Machine</th>
          <th>When</th>
          <th>Severity</th>
          <th>Classification</th>
          <th>OS</th>
          <th>Version</th>
          <th>Payload</th>
        </tr>
      </thead>
      <tbody>
        {records.map(record => (
          <ListedRecord record={record} now={frame.now} payloadLimit={pageSize > 200 ? 500 : 2000} />
        ))}
      </tbody>
    </table>
  </Scroll>
);

const ListedRecord: FC<{ record: StoredRecord; now: Date; payloadLimit: number }> = props => {
  const { record, now, payloadLimit } = props;
  return (
    <tr>
      <td class="num">
        <a href={recordPath(record.id)}>{record.id}</a>
      </td>
      <td class="soft">{record.external ? 'external' : 'internal'}</td>
      <td>
        <MachineCell id={record.machineId} hrefOf={machine_id => recordsPath({ machine_id })} />
      </td>
      <td class="nowrap">
        <Time at={record.receivedAt} now={now} />
      </td>
      <td>
        <Severity level={record.severity} />
      </td>
      <td>
        <a class="quiet" href={recordsPath({ classification: record.classification })}>
          <Cut text={record.classification} class="wide" />
        </a>
      </td>
      <td class="nowrap">
        {record.systemName ? <Cut text={record.systemName} class="name" /> : <span class="soft">unnamed</span>}
      </td>
      <td>
        <Cut text={record.build} class="name mono" />
      </td>
      <td class="rest">
        <PayloadCell id={record.id} payload={record.payload} limit={payloadLimit} />
      </td>
    </tr>
  );
};

const NoRecords: FC<RecordsPageProps> = ({ filter, stopped, newerHref }) => {
  if (Object.keys(filter.errors ?? {}).length) {
    return (
      <EmptyState title={stopped ? 'The search was stopped' : 'Nothing was searched'}>
        <p>
          {stopped ? 'It took too long. The message above says how to narrow it.' : 'Correct the marked fields above.'}
        </p>
      </EmptyState>
    );
  }
  if (newerHref) {
    return (
      <EmptyState title="No older records">
        <p>This is the end of the list.</p>
      </EmptyState>
    );
  }
  return FILTERS.some(name => name !== 'per_page' && filter[name]) ? <NothingMatches /> : <NothingYet />;
};

const NothingMatches: FC = () => (
  <EmptyState title="No record matches these filters">
    <p>
      Remove one of them, or <a href="/telemetryui/records">clear all filters</a>.
    </p>
  </EmptyState>
);

const NothingYet: FC = () => (
  <EmptyState title="No records yet">
    <p>
      <a href="/telemetryui/connect">Connect machines</a> to see what they report here.
    </p>
    <p class="soft">
      Only looking around? The <a href="/telemetryui">overview</a> has a command that writes the records of a made-up
      fleet.
    </p>
  </EmptyState>
);
