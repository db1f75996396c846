import type { Child, FC, PropsWithChildren } from 'hono/jsx';
import type { StoredRecord, WayIn } from '../../src/records/record.ts';
import { ago, exact } from '../../src/time/ago.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { machinePath, recordsPath } from '../parts/links.ts';
import { MACHINE_UNKNOWN } from '../parts/machine.tsx';
import { count, EmptyState, Severity, Time } from '../parts/parts.tsx';
import { JournalEntryBlock, type ShownEntry } from './journal-entry.tsx';
import { NulNote, PayloadBlock, ScrubbedNote } from './payload.tsx';
import { CrashSection, type RecordCrash } from './record-crash.tsx';
import { ParsedSection, type RecordParsed } from './record-parsed.tsx';

interface RecordDetails {
  /** The payload, if it is a journal entry. */
  entry?: ShownEntry | undefined;
  /** NUL bytes in the payload. */
  nulBytes: number;
  /** The neighbours among the records of the same machine id. */
  olderHref?: string | undefined;
  newerHref?: string | undefined;
}

interface RecordPageProps {
  frame: PageFrame;
  record: StoredRecord;
  details: RecordDetails;
  /** Set if the record's classification is analysed. */
  crash?: RecordCrash | undefined;
  /** Set if a parser reads the record's payload. */
  parsed?: RecordParsed | undefined;
}

export const RecordPage: FC<RecordPageProps> = ({ frame, record, details, crash, parsed }) => (
  <Page frame={frame} title={`Record ${record.id}`} help="records" current="records">
    <RecordLinks record={record} details={details} />
    <div class="facts">
      <What record={record} now={frame.now} />
      <Machine record={record} />
      <div>
        <System record={record} />
        <Format record={record} />
      </div>
    </div>
    {crash && <CrashSection recordId={record.id} crash={crash} readonly={frame.readonly} />}
    {parsed && <ParsedSection classification={record.classification} parsed={parsed} />}
    <h2 id="payload-heading">Payload</h2>
    <ScrubbedNote by={record.scrubbedBy} />
    {details.entry ? (
      <JournalEntryBlock entry={details.entry}>
        <Payload payload={record.payload} nulBytes={details.nulBytes} />
      </JournalEntryBlock>
    ) : (
      <Payload payload={record.payload} nulBytes={details.nulBytes} />
    )}
  </Page>
);

const RecordLinks: FC<{ record: StoredRecord; details: RecordDetails }> = ({ record, details }) => (
  <nav class="links" aria-label="This record">
    {details.newerHref && (
      <a href={details.newerHref} rel="prev">
        ← Newer of this machine
      </a>
    )}
    {details.olderHref && (
      <a href={details.olderHref} rel="next">
        Older record of this machine →
      </a>
    )}
    {record.machineId !== '' && <a href={machinePath(record.machineId)}>All records of this machine</a>}
    <a href={`/api/records/${record.id}`}>JSON</a>
  </nav>
);

const WAYS_IN: Record<WayIn, string> = {
  headers: 'telemetrics, metadata in headers',
  json: 'telemetrics, JSON',
  probe: 'telemetricsd-probe',
  abrt: 'ABRT',
};

const What: FC<{ record: StoredRecord; now: Date }> = ({ record, now }) => (
  <Facts title="What">
    <Fact name="Classification">
      <a href={recordsPath({ classification: record.classification })}>{record.classification}</a>
    </Fact>
    <Fact name="Severity">
      <a href={recordsPath({ severity: String(record.severity) })}>
        <Severity level={record.severity} />
      </a>
    </Fact>
    <Fact name="Received">
      {exact(record.receivedAt)}, <Time at={record.receivedAt} now={now} />
    </Fact>
    <Fact name="Captured">
      <Captured record={record} />
    </Fact>
    <Fact name="Source">
      <a href={recordsPath({ source: record.external ? 'external' : 'internal' })}>
        {record.external ? 'external' : 'internal'}
      </a>
    </Fact>
    <Fact name="Way in">{record.wayIn ? WAYS_IN[record.wayIn] : 'imported from an old server'}</Fact>
    <Fact name="Fleet">
      <a href={recordsPath({ fleet: record.fleet })}>{record.fleet}</a>
    </Fact>
    <Fact name="Event id">{record.eventId && <code>{record.eventId}</code>}</Fact>
  </Facts>
);

const NOTABLE_DELAY = 600_000;

/** The machine's time, and how far it differs from ours if that is notable. */
const Captured: FC<{ record: StoredRecord }> = ({ record }) => {
  const at = new Date(record.capturedAt * 1000);
  const distance = at.getTime() - record.receivedAt.getTime();
  return (
    <>
      {exact(at)}
      {distance < -NOTABLE_DELAY && `, ${ago(at, record.receivedAt).replace(' ago', '')} before it arrived`}
      {distance > NOTABLE_DELAY && ', after it arrived: the machine’s clock is ahead'}
    </>
  );
};

const Machine: FC<{ record: StoredRecord }> = ({ record }) => (
  <Facts title="Machine">
    <Fact name="Machine id">
      {record.machineId === '' ? (
        <>
          {MACHINE_UNKNOWN}: ABRT did not send its id (<a href="/telemetryui/connect?way=abrt">how to switch that on</a>
          )
        </>
      ) : (
        <a class="mono" href={recordsPath({ machine_id: record.machineId })}>
          {record.machineId}
        </a>
      )}
    </Fact>
    <Fact name="Host type">{record.hostType}</Fact>
    <Fact name="Board">{record.boardName}</Fact>
    <Fact name="CPU">{record.cpuModel}</Fact>
    <Fact name="BIOS">{record.biosVersion}</Fact>
  </Facts>
);

const System: FC<{ record: StoredRecord }> = ({ record }) => (
  <Facts title="System">
    <Fact name="OS">
      {record.systemName && <a href={recordsPath({ os: record.systemName })}>{record.systemName}</a>}
    </Fact>
    <Fact name="Build">
      <a class="mono" href={recordsPath({ os: record.systemName, build: record.build })}>
        {record.build}
      </a>
    </Fact>
    <Fact name="Kernel">
      <code>{record.kernelVersion}</code>
    </Fact>
    <Fact name="Architecture">
      <code>{record.arch}</code>
    </Fact>
  </Facts>
);

const Format: FC<{ record: StoredRecord }> = ({ record }) => (
  <Facts title="Format">
    <Fact name="Record format">{record.recordFormatVersion}</Fact>
    <Fact name="Payload format">{record.payloadFormatVersion}</Fact>
    <Fact name="Payload">{`${count(record.payload.length)} characters`}</Fact>
  </Facts>
);

const Facts: FC<PropsWithChildren<{ title: string }>> = ({ title, children }) => (
  <section>
    <h2>{title}</h2>
    <dl>{children}</dl>
  </section>
);

/** A fact about the record; a missing field shows "not given". */
const Fact: FC<PropsWithChildren<{ name: string }>> = ({ name, children }) => (
  <div>
    <dt>{name}</dt>
    <dd>{isBlank(children) ? <span class="soft">not given</span> : children}</dd>
  </div>
);

/** Nor do the parts of `VENDOR|PRODUCT|VERSION` say anything, of a machine whose firmware is silent. */
const NOTHING = /^[| ]*$/;

const isBlank = (children: Child): boolean =>
  Array.isArray(children)
    ? children.every(isBlank)
    : children == null || children === false || (typeof children === 'string' && NOTHING.test(children));

const Payload: FC<{ payload: string; nulBytes: number }> = ({ payload, nulBytes }) => {
  if (payload === '') {
    return (
      <EmptyState title="The payload is empty">
        <p>The machine sent the fields above and nothing else.</p>
      </EmptyState>
    );
  }
  return (
    <>
      {nulBytes > 0 && <NulNote bytes={nulBytes} />}
      <PayloadBlock id="payload" payload={payload} />
    </>
  );
};
