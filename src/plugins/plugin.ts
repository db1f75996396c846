import type { PageFrame } from '../../views/layout.tsx';
import type { DatabaseTarget } from '../db/connect.ts';

/** Parts of the page frame that a plugin's process can't know. Sent with each request in a header, as JSON. */
export type FrameFacts = Pick<PageFrame, 'quarantined' | 'kept' | 'visitor' | 'readonly' | 'plugins'>;

export const FACTS_HEADER = 'x-telemetricsd-facts';
/**
 * Set if the answer is not the plugin's own: `not-found`, or `failed` with a `Failure` as the body, or `exhausted`,
 * which also means that the process has no memory left and may never get any.
 */
export const OUTCOME_HEADER = 'x-telemetricsd-outcome';

export interface Failure {
  /** For the log. */
  reason: string;
  /** SQLSTATE or another code. */
  code?: string | undefined;
}

/** The first message to a plugin's process. */
export interface LoadRequest {
  name: string;
  /** The path of view.ts or view.tsx. */
  source: string;
  /** The unix socket to answer on. */
  socket: string;
  database: DatabaseTarget;
}

/** The answer; `problem` is for the plugin's author. */
export type PluginLoaded = { title: string } | { problem: string };
