import type { FC } from 'hono/jsx';
import type { Check, Level } from '../src/status/checks.ts';
import { type Frame, Page } from './layout.tsx';
import { Scroll } from './parts.tsx';

export interface StatusPageProps {
  frame: Frame;
  checks: Check[];
  /** The gravest of them. */
  level: Level;
}

const SUMMARY = {
  ok: { kind: 'done', text: 'All is well.' },
  warning: { kind: 'warning', text: 'Something wants a look.' },
  error: { kind: 'error', text: 'Something is wrong.' },
} as const;

export const StatusPage: FC<StatusPageProps> = ({ frame, checks, level }) => (
  <Page frame={frame} title="Status" lead="How this server is doing." notice={SUMMARY[level]}>
    <Scroll label="Status">
      <table>
        <thead>
          <tr>
            <th>What</th>
            <th>State</th>
            <th>How it is</th>
          </tr>
        </thead>
        <tbody>
          {checks.map(check => (
            <CheckRow check={check} />
          ))}
        </tbody>
      </table>
    </Scroll>
    <p class="soft">
      The same as JSON: <a href="/api/status">/api/status</a>; for Prometheus: <a href="/metrics">/metrics</a>.
    </p>
  </Page>
);

const LOOK: Record<Level, string> = { ok: 'fine', warning: 'high', error: 'crit' };

const CheckRow: FC<{ check: Check }> = ({ check: { name, level, text, remedy, reason } }) => (
  <tr>
    <th scope="row" class="nowrap">
      {name}
    </th>
    <td>
      <span class={`sev ${LOOK[level]}`}>{level}</span>
    </td>
    <td>
      {text}
      {remedy && <p class="soft">{remedy}</p>}
      {reason && <pre class="text">{reason}</pre>}
    </td>
  </tr>
);
