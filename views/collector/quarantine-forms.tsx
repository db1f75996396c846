import type { FC } from 'hono/jsx';

interface QuarantineFormProps {
  /** One entry, or all that were refused for the same reason. */
  name: 'id' | 'reason';
  value: string | number;
  label: string;
}

export const ReplayForm: FC<QuarantineFormProps & { primary?: boolean }> = ({ name, value, label, primary }) => (
  <form method="post" action="/telemetryui/quarantine/replays">
    <input type="hidden" name={name} value={String(value)} />
    <button type="submit" class={primary ? 'primary' : undefined}>
      {label}
    </button>
  </form>
);

export const DiscardForm: FC<QuarantineFormProps> = ({ name, value, label }) => (
  <details class="confirm">
    <summary>{label}…</summary>
    <form method="post" action="/telemetryui/quarantine/discards">
      <input type="hidden" name={name} value={String(value)} />
      <p>Discarded records cannot be restored.</p>
      <button type="submit" class="danger">
        {label}
      </button>
    </form>
  </details>
);
