import type { FC } from 'hono/jsx';
import { Page, type PageFrame } from '../layout.tsx';
import { pluginPath } from '../parts/links.ts';
import { EmptyState } from '../parts/parts.tsx';

interface PluginLeftOutProps {
  frame: PageFrame;
  name: string;
  problem: string;
}

const LEFT_OUT = { kind: 'error', text: 'This plugin could not be loaded and is left out.' } as const;

/** What the tab of a plugin leads to that could not be loaded. */
export const PluginLeftOut: FC<PluginLeftOutProps> = ({ frame, name, problem }) => (
  <Page frame={frame} title={name} help="plugins" current={`plugins/${name}`} notice={LEFT_OUT}>
    {frame.visitor?.role === 'admin' ? (
      <>
        <p>Everything else works. Once this is mended, it can be loaded again:</p>
        <pre>{problem}</pre>
      </>
    ) : (
      <p>Everything else works. An administrator finds the reason here and in the log.</p>
    )}
  </Page>
);

export interface PluginFailedProps {
  frame: PageFrame;
  name: string;
  title: string;
  /** What can be told of it. */
  reason: string | undefined;
}

/** In place of a page that a plugin could not make. */
export const PluginFailed: FC<PluginFailedProps> = ({ frame, name, title, reason = "the server's log says why" }) => (
  <Page frame={frame} title={title} help="plugins" current={`plugins/${name}`}>
    <EmptyState title="This page could not be made">
      <p>
        The plugin “{name}” failed: {reason}. Everything else works.
      </p>
      <p>
        <a href={pluginPath(name)}>Go to its first page</a>
      </p>
    </EmptyState>
  </Page>
);
