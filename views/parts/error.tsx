import type { FC } from 'hono/jsx';
import { Page, type PageFrame } from '../layout.tsx';

export interface ErrorPageProps {
  frame: PageFrame;
  status: number;
  title: string;
  message: string;
  /** What to do next, a sentence each. */
  hints: string[];
  /** The chapter of the manual that helps. */
  help?: string | undefined;
}

export const ErrorPage: FC<ErrorPageProps> = ({ frame, status, title, message, hints, help }) => (
  <Page frame={frame} title={title} help={help}>
    <p class="lead">{message}</p>
    {hints.length > 0 && (
      <ul class="hints">
        {hints.map(hint => (
          <li>{hint}</li>
        ))}
      </ul>
    )}
    <p>
      <a href="/telemetryui/records">Go to the records</a>
    </p>
    <p class="small soft">Status {status}</p>
  </Page>
);
