import type { FC } from 'hono/jsx';
import type { StoredRecord } from '../../src/records/record.ts';
import { exact } from '../../src/time/ago.ts';
import { recordPath } from '../parts/links.ts';
import { Cut, Severity } from '../parts/parts.tsx';

interface ArrivalsProps {
  since: number;
  /** A few records newer than `since`, oldest first. */
  records: StoredRecord[];
  waiting: boolean;
}

/** The content of #arrivals. It may not change with time alone, because a screen reader reads out every change. */
export const Arrivals: FC<ArrivalsProps> = ({ since, records, waiting }) => {
  const [first, ...others] = records;
  if (waiting || !first) return <Waiting since={since} />;
  return (
    <>
      <p class="arrived">
        <span class="tick" aria-hidden="true">
          ✓
        </span>
        <span>
          {since === 0 ? 'The first record has arrived: ' : 'A record has arrived: '}
          <Arrival record={first} />
        </span>
      </p>
      {others.length > 0 && (
        <ul class="others">
          {others.map(record => (
            <li>
              <Arrival record={record} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
};

const Waiting: FC<{ since: number }> = ({ since }) => (
  <p class="waiting">
    <span class="pulse" aria-hidden="true"></span>
    {since === 0 ? 'Waiting for the first record' : `Waiting for a record after record ${since}`}
  </p>
);

const Arrival: FC<{ record: StoredRecord }> = ({ record }) => (
  <>
    <a href={recordPath(record.id)}>record {record.id}</a> <Severity level={record.severity} /> {record.classification}{' '}
    from{' '}
    {record.machineId === '' ? (
      'a machine unknown'
    ) : (
      <>
        machine <Cut text={record.machineId} />
      </>
    )}{' '}
    at <time datetime={record.receivedAt.toISOString()}>{exact(record.receivedAt).slice(11)}</time>
  </>
);
