import type { PageFrame } from '../../views/layout.tsx';
import type { DatabaseTarget } from '../db/connect.ts';

/** What a plugin's process can't know of the page frame. Goes with each request, in a header, as JSON. */
export type FrameFacts = Pick<PageFrame, 'quarantined' | 'kept' | 'visitor' | 'readonly' | 'plugins'>;

export const FACTS_HEADER = 'x-telemetricsd-facts';
/**
 * On an answer that is none of the plugin's own: `not-found`, or `failed` with a `Failure` as its body; `exhausted` is the
 * same of a process that has no memory left and may never have any again.
 */
export const OUTCOME_HEADER = 'x-telemetricsd-outcome';

export interface Failure {
  /** For the log. */
  reason: string;
  /** SQLSTATE or the like. */
  code?: string | undefined;
}

/** What a plugin's process is told first. */
export interface LoadRequest {
  name: string;
  /** The path of view.ts or view.tsx. */
  source: string;
  /** The unix socket that it is to answer on. */
  socket: string;
  database: DatabaseTarget;
}

/** What it answers; `problem` is for whoever wrote the plugin. */
export type PluginLoaded = { title: string } | { problem: string };
