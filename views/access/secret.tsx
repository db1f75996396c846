import type { FC } from 'hono/jsx';

/** A secret to copy, which is shown once. */
export const Secret: FC<{ title: string; text: string; note: string }> = ({ title, text, note }) => (
  <section class="notice done" aria-label={title}>
    <b>{title}</b>
    <p>
      <code id="secret">{text}</code>{' '}
      <button type="button" data-copy="secret">
        Copy
      </button>
    </p>
    <p>{note}</p>
  </section>
);
