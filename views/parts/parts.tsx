import type { FC, PropsWithChildren } from 'hono/jsx';
import type { StoredRecord } from '../../src/records/record.ts';
import { ago, exact } from '../../src/time/ago.ts';

export interface NoticeProps {
  kind: 'done' | 'error' | 'warning';
  text: string;
}

export const Notice: FC<NoticeProps> = ({ kind, text }) => (
  <p class={`notice ${kind}`} role={kind === 'error' ? 'alert' : 'status'}>
    {text}
  </p>
);

export const Time: FC<{ at: Date; now: Date }> = ({ at, now }) => (
  <time datetime={at.toISOString()} title={exact(at)} data-relative>
    {ago(at, now)}
  </time>
);

const SEVERITIES = { 1: 'low', 2: 'med', 3: 'high', 4: 'crit' } as const;

export const Severity: FC<{ level: StoredRecord['severity'] }> = ({ level }) => (
  <span class={`sev ${SEVERITIES[level]}`}>{SEVERITIES[level]}</span>
);

const COUNT = new Intl.NumberFormat('en');

export const count = (n: number): string => COUNT.format(n);

/** `1 record`, `2,000 records` */
export const counted = (n: number, noun: string): string => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;

export const size = (bytes: number): string => {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} KB`;
  if (bytes < 1_000_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`;
  return `${(bytes / 1_000_000_000).toFixed(1)} GB`;
};

export const EmptyState: FC<PropsWithChildren<{ title: string }>> = ({ title, children }) => (
  <div class="empty">
    <h2>{title}</h2>
    {children}
  </div>
);

/** A table that scrolls on its own, also by keyboard. */
export const Scroll: FC<PropsWithChildren<{ label: string; fit?: boolean }>> = ({ label, fit, children }) => (
  <section class={fit ? 'scroll fit' : 'scroll'} aria-label={label} tabindex={0}>
    {children}
  </section>
);

/** Shows the beginning of a text; screen readers and the clipboard get all of it. */
export const Cut: FC<{ text: string; class?: string }> = ({ text, class: look = 'mono' }) => (
  <span class={`cut ${look}`} title={text}>
    {text}
  </span>
);

interface PagerProps {
  newerHref?: string | undefined;
  olderHref?: string | undefined;
  /** The id of the part that htmx replaces. */
  swaps?: string | undefined;
  /** The texts of the links, if the list is not ordered by time. */
  texts?: { newer: string; older: string } | undefined;
}

const BY_TIME = { newer: '← Newer', older: 'Older →' };

export const Pager: FC<PagerProps> = ({ newerHref, olderHref, swaps, texts = BY_TIME }) =>
  newerHref || olderHref ? (
    <nav class="pager" aria-label="Pages">
      {newerHref && <PagerLink href={newerHref} rel="prev" text={texts.newer} swaps={swaps} />}
      {olderHref && <PagerLink href={olderHref} rel="next" text={texts.older} swaps={swaps} />}
    </nav>
  ) : null;

const PagerLink: FC<{ href: string; rel: string; text: string; swaps: string | undefined }> = props => {
  const target = props.swaps && `#${props.swaps}`;
  const live = target && {
    'hx-get': props.href,
    'hx-target': target,
    'hx-select': target,
    'hx-swap': `outerHTML show:top showTarget:${target}`,
    'hx-push-url': 'true',
  };
  return (
    <a href={props.href} rel={props.rel} {...live}>
      {props.text}
    </a>
  );
};
