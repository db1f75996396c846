import type { FC } from 'hono/jsx';
import { type Backtrace, BacktraceBlock } from '../crashes/backtrace.tsx';
import { GuiltyName } from '../crashes/guilty-name.tsx';
import { editFromRecordPath, failedPath, type GuiltyRef, guiltyPath } from '../crashes/links.ts';
import { ModuleTable, type ShownModule } from './modules.tsx';

/** The state of a crash record's analysis. */
export type RecordCrash =
  | { state: 'waiting' }
  | { state: 'failed'; error: string }
  | { state: 'analysed'; guilty: GuiltyRef | null; backtrace: Backtrace; modules: ShownModule[] };

interface CrashSectionProps {
  recordId: number;
  crash: RecordCrash;
  readonly: boolean;
}

export const CrashSection: FC<CrashSectionProps> = props => (
  <section aria-labelledby="crash-heading">
    <h2 id="crash-heading">Backtrace</h2>
    <CrashState {...props} />
  </section>
);

const CrashState: FC<CrashSectionProps> = ({ recordId, crash, readonly }) => {
  switch (crash.state) {
    case 'waiting':
      return <p class="notice">This record waits to be analysed; load the page again in a moment.</p>;
    case 'failed':
      return (
        <p class="notice error">
          The analysis failed: {crash.error} <a href={failedPath}>All that failed</a>
        </p>
      );
    case 'analysed':
      return (
        <>
          {crash.guilty && (
            <p class="found-guilty">
              Guilty: <GuiltyName guilty={crash.guilty} href={guiltyPath(crash.guilty.id)} />
            </p>
          )}
          <BacktraceBlock backtrace={crash.backtrace} label="Frames" whole />
          {crash.modules.length > 0 && <ModuleTable modules={crash.modules} />}
          {!readonly && crash.backtrace.frames.length > 0 && (
            <p>
              <a href={editFromRecordPath(recordId)}>Edit the never-guilty list from this record</a>
            </p>
          )}
        </>
      );
  }
};
