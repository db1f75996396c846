import type { FC } from 'hono/jsx';

/** A secret that is shown once, to be copied. */
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
