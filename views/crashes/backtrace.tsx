import type { FC } from 'hono/jsx';
import { exact } from '../../src/time/ago.ts';
import { Scroll } from '../parts/parts.tsx';
import { visible } from '../parts/visible.ts';
import { FunctionName } from './guilty-name.tsx';
import { neverGuiltyPath } from './links.ts';

export interface BacktraceFrame {
  /** Null for a frame that was made from the report's reason. */
  number: number | null;
  /** As it came. */
  function: string;
  /** Null if it is the same. */
  demangled: string | null;
  module: string;
  /** `0x1a2`, of one record; null if unknown, or if the backtrace belongs to many records. */
  offset: string | null;
  /** `shell.c:3` */
  source: string | null;
  guilty: boolean;
  /** Why the frame was skipped; null for the chosen frame and for frames not examined. */
  skipped: 'never-guilty' | 'no-symbol' | 'unreliable' | 'no-name' | 'handler' | null;
  /** The never-guilty entry that it matches, if that is spelled differently. */
  entry: { function: string; module: string } | null;
  /** Why the mangled name was kept. */
  kept: 'too-long' | 'too-slow' | null;
}

export type GuiltyRule = 'first-known' | 'first-unknown' | 'last-never-guilty' | 'from-reason' | 'no-frames';

export interface Backtrace {
  /** The frames of the first thread. */
  frames: BacktraceFrame[];
  rule: GuiltyRule;
  /** The frame after which the crash is. */
  trap: { number: number; kind: 'signal' | 'exception' } | null;
  /** The version of the never-guilty list at the decision. */
  listVersion: number;
  decidedAt: Date;
}

/** The frames with the guilty one marked, and the reason as it was when decided. */
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
  const offsets = frames.some(frame => frame.offset !== null);
  return (
    <table class="frames">
      <thead>
        <tr>
          <th class="num">Frame</th>
          <th>Verdict</th>
          <th>Function</th>
          <th>Module</th>
          {offsets && <th>Offset</th>}
          {sources && <th>Source</th>}
        </tr>
      </thead>
      <tbody>
        {frames.map(frame => (
          <tr class={rowLook(frame)}>
            <FrameNumber frame={frame} />
            <td class="verdict">
              <FrameVerdict frame={frame} />
            </td>
            <td class="function">
              <FrameFunction frame={frame} />
            </td>
            <td class="mono module">{visible(frame.module)}</td>
            {offsets && <td class="mono soft nowrap">{frame.offset}</td>}
            {sources && <td class="mono soft nowrap">{frame.source && visible(frame.source)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
};

export const FrameNumber: FC<{ frame: BacktraceFrame }> = ({ frame }) => (
  <td class="num mono soft">{frame.number === null ? 'reason' : `#${frame.number}`}</td>
);

const rowLook = ({ guilty, skipped }: BacktraceFrame): string | undefined => {
  if (guilty) return 'at-fault';
  return skipped ? 'passed-over' : undefined;
};

const SKIPPED = {
  'never-guilty': 'never guilty',
  'no-symbol': 'no symbol',
  unreliable: 'unreliable',
  'no-name': 'no function',
  handler: 'handler',
};

export const FrameVerdict: FC<{ frame: BacktraceFrame }> = ({ frame }) => (
  <>
    {frame.guilty && <b class="guilty-mark">◆ guilty</b>}
    {frame.guilty && frame.skipped && ', '}
    {frame.skipped && <span class="soft">{SKIPPED[frame.skipped]}</span>}
    {frame.entry && <EntryLink entry={frame.entry} of={frame.module} />}
  </>
);

const EntryLink: FC<{ entry: { function: string; module: string }; of: string }> = ({ entry, of }) => (
  <a class="small by-entry" href={neverGuiltyPath(entry.function)}>
    by <span class="mono">{visible(entry.function)}</span>
    {entry.module === '*' ? ' in any module' : entry.module !== of && ` in ${visible(entry.module)}`}
  </a>
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
    'Every frame is on the never-guilty list or lacks a reliable symbol, so guilty is the first without one, outside the runtime ' +
    'libraries if there is one',
  'last-never-guilty': 'Every frame is on the never-guilty list, so guilty is the last of them',
  'from-reason':
    'The report holds no backtrace, so guilty is what its reason names: a function, else a source file, else a function without a symbol',
  'no-frames': 'The payload holds no frames, so there is no guilty',
};

const TRAPS = {
  signal:
    'is where the handler of a signal returns to, so the frames above it are the handler’s and the crash is below',
  exception: 'is where the exception entered the kernel, so the frames above it are its report and the crash is below',
};

const Explanation: FC<{ backtrace: Backtrace }> = ({ backtrace }) => (
  <p class="small soft explanation">
    {backtrace.trap && `Frame #${backtrace.trap.number} ${TRAPS[backtrace.trap.kind]}. `}
    {RULES[backtrace.rule]}; decided with version {backtrace.listVersion} of the{' '}
    <a href={neverGuiltyPath()}>never-guilty list</a> on <span class="nowrap">{exact(backtrace.decidedAt)}</span>.
  </p>
);
