import type { FC } from 'hono/jsx';
import { exact } from './ago.ts';
import { neverGuiltyPath } from './crashes-links.ts';
import { FunctionName } from './guilty-name.tsx';
import { Scroll } from './parts.tsx';
import { visible } from './visible.ts';

export interface BacktraceFrame {
  number: number;
  /** As it came. */
  function: string;
  /** Null where it is the same. */
  demangled: string | null;
  module: string;
  /** `shell.c:3` */
  source: string | null;
  guilty: boolean;
  /** Why it was passed over; null for the frame chosen at once and for those not looked at. */
  skipped: 'never-guilty' | 'no-symbol' | 'unreliable' | null;
  /** Why the mangled name was kept. */
  kept: 'too-long' | 'too-slow' | null;
}

export type GuiltyRule = 'first-known' | 'first-unknown' | 'last-never-guilty' | 'no-frames';

export interface Backtrace {
  /** Of the first thread. */
  frames: BacktraceFrame[];
  rule: GuiltyRule;
  /** The state of the never-guilty list that it was decided with. */
  listVersion: number;
  decidedAt: Date;
}

/** The frames, which of them is guilty, and why as it was decided then. */
export const BacktraceBlock: FC<{ backtrace: Backtrace; label: string; whole?: boolean }> = props => {
  const { backtrace, label, whole } = props;
  return (
    <div class={whole ? 'backtrace whole' : 'backtrace'}>
      {backtrace.frames.length > 0 && (
        <Scroll label={label}>
          <FrameTable frames={backtrace.frames} />
        </Scroll>
      )}
      <Explanation backtrace={backtrace} />
    </div>
  );
};

const FrameTable: FC<{ frames: BacktraceFrame[] }> = ({ frames }) => {
  const sources = frames.some(frame => frame.source !== null);
  return (
    <table class="frames">
      <thead>
        <tr>
          <th class="num">Frame</th>
          <th>Verdict</th>
          <th>Function</th>
          <th>Module</th>
          {sources && <th>Source</th>}
        </tr>
      </thead>
      <tbody>
        {frames.map(frame => (
          <tr class={rowLook(frame)}>
            <td class="num mono soft">#{frame.number}</td>
            <td class="verdict">
              <FrameVerdict frame={frame} />
            </td>
            <td class="function">
              <FrameFunction frame={frame} />
            </td>
            <td class="mono module">{visible(frame.module)}</td>
            {sources && <td class="mono soft nowrap">{frame.source && visible(frame.source)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
};

const rowLook = ({ guilty, skipped }: BacktraceFrame): string | undefined => {
  if (guilty) return 'at-fault';
  return skipped ? 'passed-over' : undefined;
};

const SKIPPED = { 'never-guilty': 'never guilty', 'no-symbol': 'no symbol', unreliable: 'unreliable' };

export const FrameVerdict: FC<{ frame: BacktraceFrame }> = ({ frame }) => (
  <>
    {frame.guilty && <b class="guilty-mark">◆ guilty</b>}
    {frame.guilty && frame.skipped && ', '}
    {frame.skipped && <span class="soft">{SKIPPED[frame.skipped]}</span>}
  </>
);

const KEPT = {
  'too-long': 'kept mangled: the demangled name would be too long',
  'too-slow': 'kept mangled: demangling took too long',
};

export const FrameFunction: FC<{ frame: BacktraceFrame }> = ({ frame }) => (
  <>
    <FunctionName text={frame.demangled ?? frame.function} />
    {frame.kept && <span class="small soft kept">{KEPT[frame.kept]}</span>}
  </>
);

const RULES: Record<GuiltyRule, string> = {
  'first-known': 'Guilty is the first frame with a reliable symbol that is not on the never-guilty list',
  'first-unknown':
    'Every frame is on the never-guilty list or lacks a reliable symbol, so guilty is the first without one',
  'last-never-guilty': 'Every frame is on the never-guilty list, so guilty is the last of them',
  'no-frames': 'The payload holds no frames, so there is no guilty',
};

const Explanation: FC<{ backtrace: Backtrace }> = ({ backtrace }) => (
  <p class="small soft explanation">
    {RULES[backtrace.rule]}; decided with version {backtrace.listVersion} of the{' '}
    <a href={neverGuiltyPath()}>never-guilty list</a> on <span class="nowrap">{exact(backtrace.decidedAt)}</span>.
  </p>
);
