import type { FC } from 'hono/jsx';
import type { FailedAnalysis } from '../../src/crashes/queue.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { recordPath, recordsPath } from '../parts/links.ts';
import { MachineCell } from '../parts/machine.tsx';
import { count, EmptyState, Pager, Scroll, Time } from '../parts/parts.tsx';
import { visible } from '../parts/visible.ts';
import { RetryForm } from './forms.tsx';
import { failedPath } from './links.ts';

interface FailedAnalysesPageProps {
  frame: PageFrame;
  failures: FailedAnalysis[];
  /** Over all pages. */
  total: number;
  olderHref?: string | undefined;
  newerHref?: string | undefined;
}

const LEAD =
  'Crash records whose analysis failed three times. They are stored like any other; once the cause is mended, try again.';

export const FailedAnalysesPage: FC<FailedAnalysesPageProps> = props => (
  <Page
    frame={props.frame}
    title="Failed analyses"
    help="crashes#how-the-guilty-is-found"
    current="crashes"
    lead={LEAD}
  >
    <nav class="links" aria-label="Crashes">
      <a href="/telemetryui/crashes">← Crashes</a>
    </nav>
    {props.failures.length > 0 ? <Failures {...props} /> : <NothingFailed />}
    <Pager newerHref={props.newerHref} olderHref={props.olderHref} />
  </Page>
);

const Failures: FC<FailedAnalysesPageProps> = ({ frame, failures, total }) => (
  <>
    {!frame.readonly && (
      <div class="row">
        <RetryForm records={total} back={failedPath} />
      </div>
    )}
    <Scroll label="Failed analyses, newest first">
      <table>
        <thead>
          <tr>
            <th class="num">Record</th>
            <th>Machine</th>
            <th>Received</th>
            <th class="num">Attempts</th>
            <th>Error</th>
            <th>
              <span class="unseen">Try again</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {failures.map(failure => (
            <tr>
              <td class="num">
                <a href={recordPath(failure.recordId)}>{failure.recordId}</a>
              </td>
              <td>
                <MachineCell id={failure.machineId} hrefOf={machine_id => recordsPath({ machine_id })} />
              </td>
              <td class="nowrap">
                <Time at={failure.receivedAt} now={frame.now} />
              </td>
              <td class="num">{count(failure.attempts)}</td>
              <td class="rest-text">{visible(failure.error)}</td>
              <td class="nowrap">{!frame.readonly && <RetryForm id={failure.recordId} back={failedPath} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  </>
);

const NothingFailed: FC = () => (
  <EmptyState title="No analysis has failed">
    <p>Every crash record so far could be analysed, or is still waiting for it.</p>
  </EmptyState>
);
