import type { FC } from 'hono/jsx';
import type { Check, Level } from '../../src/status/check.ts';
import { Page, type PageFrame } from '../layout.tsx';
import type { NoticeProps } from '../parts/parts.tsx';

interface StatusPageProps {
  frame: PageFrame;
  checks: Check[];
  /** The gravest of them. */
  level: Level;
}

const SUMMARY = {
  ok: { kind: 'done', text: 'All is well.' },
  warning: { kind: 'warning', text: 'Needs attention' },
  error: { kind: 'error', text: 'Something is wrong' },
} as const;

/** Where there is more about a check. */
const MORE: Record<string, string> = {
  Data: '/telemetryui',
  Probes: '/telemetryui/connect',
  Limits: '/telemetryui/connect',
  Quarantine: '/telemetryui/quarantine',
  'Crash analysis': '/telemetryui/crashes/failed',
  Payloads: '/telemetryui/parsers',
  Parsers: '/telemetryui/parsers',
};

export const StatusPage: FC<StatusPageProps> = ({ frame, checks, level }) => (
  <Page frame={frame} title="Status" help="watch" lead="How this server is doing." notice={summary(checks, level)}>
    <dl>
      {checks.map(check => (
        <CheckEntry check={check} />
      ))}
    </dl>
    <p class="soft">
      The same as JSON: <a href="/api/status">/api/status</a>; for Prometheus: <a href="/metrics">/metrics</a>.
    </p>
  </Page>
);

function summary(checks: Check[], level: Level): NoticeProps {
  const { kind, text } = SUMMARY[level];
  if (level === 'ok') return { kind, text };
  const names = checks.filter(check => check.level !== 'ok').map(({ name }) => name);
  return { kind, text: `${text}: ${names.join(', ')}.` };
}

const LOOK: Record<Level, string> = { ok: 'fine', warning: 'high', error: 'crit' };

const CheckEntry: FC<{ check: Check }> = ({ check: { name, level, text, remedy, reason } }) => (
  <div>
    <dt>{MORE[name] ? <a href={MORE[name]}>{name}</a> : name}</dt>
    <dd>
      <span class={`sev ${LOOK[level]}`}>{level}</span> {text}
      {remedy && <p class="soft">{remedy}</p>}
      {reason && <pre class="text">{reason}</pre>}
    </dd>
  </div>
);
