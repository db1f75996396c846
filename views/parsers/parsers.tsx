import type { FC } from 'hono/jsx';
import type { Lane } from '../../src/parsers/parser.ts';
import type { ParserState } from '../../src/parsers/parsers.ts';
import type { EnabledThere } from '../../src/parsers/servers.ts';
import type { SetAsideRecord } from '../../src/parsers/set-aside.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { machinePath, recordPath } from '../parts/links.ts';
import { MachineCell } from '../parts/machine.tsx';
import { count, EmptyState, type NoticeProps, Pager, Scroll, Time } from '../parts/parts.tsx';
import { visible } from '../parts/visible.ts';

/** An admin's parser with counts of its records, each up to 10,000. */
export interface ParserRow extends ParserState {
  /** The queue of its records. */
  lane: Lane;
  /** Undefined if too many were set aside to count. */
  waiting: number | undefined;
  setAside: number;
}

interface ParsersPageProps {
  frame: PageFrame;
  /** Admins' parsers. */
  enabled: ParserRow[];
  /** Built-in parsers. */
  builtIn: { parsers: Pick<ParserState, 'name' | 'classifications'>[]; lane: Lane; setAside: number };
  differing: EnabledThere[];
  /** `parser` is undefined for a built-in parser. */
  setAside: (SetAsideRecord & { parser: string | undefined })[];
  /** Set if the page shows only the records of this queue, which `by` failed on. */
  only: { lane: Lane; by: string } | undefined;
  olderHref?: string | undefined;
  newerHref?: string | undefined;
  notice?: NoticeProps | undefined;
}

const PARSERS = '/telemetryui/parsers';
/** Counts stop here. */
const MANY = 10_000;

export const parsersPath = (
  query: { lane?: Lane | undefined; before_id?: number; again?: number; limit?: number },
  path = PARSERS,
): string => {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size ? `${path}?${given}` : path;
};

const LEAD = 'Parsers read the payloads of stored records. You can search for the values they find: parsed.KEY=VALUE.';

export const ParsersPage: FC<ParsersPageProps> = props => (
  <Page frame={props.frame} title="Parsers" help="parsers" lead={LEAD} notice={props.notice}>
    <nav class="links" aria-label="Parsers">
      <a href="/telemetryui/status">← Status</a>
      <a href="/api/parsers">This page as JSON</a>
    </nav>
    {props.differing.length > 0 && <Differing {...props} />}
    <Enabled enabled={props.enabled} />
    <BuiltIn {...props.builtIn} />
    <SetAside {...props} />
  </Page>
);

const Differing: FC<Pick<ParsersPageProps, 'differing'>> = ({ differing }) => (
  <div class="notice warning" role="status">
    <p>
      <b>Servers on this database differ in parsers.enabled.</b> A parser reads only what came to a server that has it.
    </p>
    {differing.map(({ host, enabled }) => (
      <p>
        On {host}: {enabled.length === 0 ? 'none' : enabled.join(', ')}.
      </p>
    ))}
  </div>
);

const STATES = {
  reads: ['fine', 'reads'],
  disabled: ['crit', 'disabled'],
  'left out': ['crit', 'left out'],
} as const;

const REMEDIES = {
  disabled:
    'Its records wait. Fix it, then let the server load it again: "systemctl reload telemetricsd", or SIGHUP, or a restart.',
  'left out':
    'It could not be loaded, and the server runs without it. Fix it, then "systemctl reload telemetricsd", or SIGHUP, or a restart; "telemetricsd parser run" reads what came meanwhile.',
};

const Enabled: FC<Pick<ParsersPageProps, 'enabled'>> = ({ enabled }) => (
  <section aria-labelledby="enabled-heading">
    <h2 id="enabled-heading">Enabled in the configuration</h2>
    {enabled.length === 0 ? (
      <p class="soft">
        None. <code>telemetricsd parser init NAME</code> writes one to start from.
      </p>
    ) : (
      <Scroll label="Parsers that are enabled">
        <table>
          <thead>
            <tr>
              <th>Parser</th>
              <th>State</th>
              <th>Takes</th>
              <th class="num">Read since it was loaded</th>
              <th class="num">Wait</th>
              <th class="num">Set aside</th>
            </tr>
          </thead>
          <tbody>
            {enabled.map(parser => (
              <EnabledRow parser={parser} />
            ))}
          </tbody>
        </table>
      </Scroll>
    )}
  </section>
);

const EnabledRow: FC<{ parser: ParserRow }> = ({ parser }) => {
  const [look, text] = STATES[parser.state];
  return (
    <tr>
      <th scope="row" class="mono">
        {parser.name}
      </th>
      <td class="rest-text">
        <span class={`sev ${look}`}>{text}</span>
        {parser.state !== 'reads' && (
          <>
            {' '}
            {visible(parser.reason ?? '')}
            <p class="soft">{REMEDIES[parser.state]}</p>
          </>
        )}
      </td>
      <td class="mono">{parser.classifications.join(', ')}</td>
      <td class="num">{count(parser.read)}</td>
      <td class="num">{parser.waiting === undefined ? 'not counted' : many(parser.waiting)}</td>
      <td class="num">
        {parser.setAside === 0 ? 0 : <a href={parsersPath({ lane: parser.lane })}>{many(parser.setAside)}</a>}
      </td>
    </tr>
  );
};

const many = (n: number): string => (n < MANY ? count(n) : `${count(n)} or more`);

const BuiltIn: FC<ParsersPageProps['builtIn']> = ({ parsers, lane, setAside }) => (
  <section aria-labelledby="built-in-heading">
    <h2 id="built-in-heading">Built in</h2>
    <p class="soft">
      Each reads records that no enabled parser takes.{' '}
      {setAside > 0 && (
        <>
          They failed on <a href={parsersPath({ lane })}>{many(setAside)} of their records</a>.
        </>
      )}
    </p>
    <Scroll label="Built-in parsers" fit>
      <table>
        <thead>
          <tr>
            <th>Parser</th>
            <th>Takes</th>
          </tr>
        </thead>
        <tbody>
          {parsers.map(({ name, classifications }) => (
            <tr>
              <th scope="row" class="mono">
                {name}
              </th>
              <td class="mono">{classifications.join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  </section>
);

const SetAside: FC<ParsersPageProps> = ({ frame, setAside, only, olderHref, newerHref }) => (
  <section aria-labelledby="set-aside-heading">
    <h2 id="set-aside-heading">Set aside{only && `: ${only.by} failed`}</h2>
    {only && (
      <nav class="links" aria-label="Set aside">
        <a href={PARSERS}>All records set aside</a>
      </nav>
    )}
    {setAside.length === 0 ? (
      <EmptyState title="No record is set aside">
        <p>A record that a parser fails on three times is stored like any other, and listed here.</p>
      </EmptyState>
    ) : (
      <>
        <p class="soft">
          A parser failed on each of these three times. They are stored like any other; once the parser is fixed and
          loaded, it can read them again.
        </p>
        {!frame.readonly && (
          <div class="row">
            <AgainForm lane={only?.lane} label="Read all of them again" />
          </div>
        )}
        <SetAsideTable frame={frame} setAside={setAside} />
      </>
    )}
    <Pager newerHref={newerHref} olderHref={olderHref} />
  </section>
);

const SetAsideTable: FC<Pick<ParsersPageProps, 'frame' | 'setAside'>> = ({ frame, setAside }) => (
  <Scroll label="Records that were set aside, newest first">
    <table>
      <thead>
        <tr>
          <th class="num">Record</th>
          <th>Parser</th>
          <th>Classification</th>
          <th>Machine</th>
          <th>Received</th>
          <th>Error</th>
          <th>
            <span class="unseen">Read again</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {setAside.map(({ id, parser, classification, machineId, receivedAt, error }) => (
          <tr>
            <td class="num">
              <a href={recordPath(id)}>{id}</a>
            </td>
            <td class="mono">{parser ?? 'built in'}</td>
            <td>{classification}</td>
            <td>
              <MachineCell id={machineId} hrefOf={machinePath} />
            </td>
            <td class="nowrap">
              <Time at={receivedAt} now={frame.now} />
            </td>
            <td class="rest-text">{visible(error)}</td>
            <td class="nowrap">{!frame.readonly && <AgainForm id={id} label="Read again" />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);

/** For one record, those of a queue, or all. */
const AgainForm: FC<{ id?: number; lane?: Lane | undefined; label: string }> = ({ id, lane, label }) => (
  <form method="post" action={`${PARSERS}/retries`}>
    {id !== undefined && <input type="hidden" name="id" value={String(id)} />}
    {lane !== undefined && <input type="hidden" name="lane" value={lane} />}
    <button type="submit" class={id === undefined ? 'primary' : undefined}>
      {label}
      {id !== undefined && <span class="unseen"> record {id}</span>}
    </button>
  </form>
);
