import type { FC, PropsWithChildren } from 'hono/jsx';
import type { StoredRecord } from '../../src/records/record.ts';
import { Arrivals } from '../overview/arrivals.tsx';
import { CopyLines } from '../records/payload.tsx';

export const NumberedStep: FC<PropsWithChildren<{ title: string }>> = ({ title, children }) => (
  <li>
    <h2>{title}</h2>
    {children}
  </li>
);

export interface ShellCommand {
  /** What it does, as a sentence. */
  what: string;
  line: string;
}

export const CommandLine: FC<{ command: ShellCommand; id: string }> = ({ command, id }) => (
  <>
    <p>{command.what}</p>
    <CopyLines id={id} what="command" text={command.line} />
  </>
);

export interface ArrivingProps {
  /** The address of this page, without `since`. */
  path: string;
  /** The newest record's id when the page was first opened, 0 without one. */
  latest: number;
  /** Records newer than that, oldest first. */
  arrived?: StoredRecord[] | undefined;
}

export const Arriving: FC<ArrivingProps> = ({ path, latest, arrived = [] }) => (
  <>
    {/* The region stays and only its content is exchanged: a replaced live region is not read out. */}
    <div
      id="arrivals"
      role="status"
      hx-get={`/telemetryui/connect/arrivals?since=${latest}`}
      hx-trigger="every 2s"
      hx-swap="innerMorph"
      hx-sync="this:drop"
      data-idle-when-hidden
    >
      <Arrivals since={latest} records={arrived} waiting={arrived.length === 0} />
    </div>
    <p class="small">
      <a href={`${path}${path.includes('?') ? '&' : '?'}since=${latest}#arrivals`}>Look again</a>
    </p>
  </>
);

export const SeeWhatCame: FC = () => (
  <>
    <li>
      <a href="/telemetryui/status">Status</a> and <a href="/telemetryui/quarantine">Quarantine</a> show what came and
      what was refused.
    </li>
    <li>
      The manual has <a href="/telemetryui/help/connect#when-no-record-arrives">all steps</a>.
    </li>
  </>
);
