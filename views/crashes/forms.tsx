import type { FC } from 'hono/jsx';
import { counted } from '../parts/parts.tsx';
import type { GuiltyRef } from './links.ts';

export const COMMENT_LENGTH = 80;

/** `back` is the page to return to, with its query, since browsers send no referrer here. */
interface FormProps {
  back: string;
}

const Back: FC<FormProps> = ({ back }) => <input type="hidden" name="back" value={back} />;

interface JudgementFormProps extends FormProps {
  guilty: GuiltyRef & { comment: string; hidden?: boolean };
}

/**
 * One form, so that hiding also saves a comment that was just typed. Hiding does not ask, since the page of hidden
 * guilties can undo it.
 */
export const JudgementForm: FC<JudgementFormProps> = ({ guilty, back }) => {
  const id = `comment-${guilty.id}`;
  return (
    <form class="comment" method="post" action="/telemetryui/crashes/comments">
      <input type="hidden" name="id" value={String(guilty.id)} />
      <Back back={back} />
      <input
        id={id}
        name="comment"
        value={guilty.comment}
        maxlength={COMMENT_LENGTH}
        aria-label={`Comment on ${guilty.function}`}
        aria-describedby={`${id}-length`}
        autocomplete="off"
        data-counted-in={`${id}-length`}
      />
      <button type="submit">Save</button>
      {guilty.hidden ? (
        <button type="submit" formaction="/telemetryui/crashes/unhidings">
          Show again
        </button>
      ) : (
        <button type="submit" formaction="/telemetryui/crashes/hidings">
          Hide
        </button>
      )}
      <span id={`${id}-length`} class="small soft">
        {guilty.comment.length} of {COMMENT_LENGTH} characters
      </span>
    </form>
  );
};

export const UnhideForm: FC<FormProps & { guilty: GuiltyRef }> = ({ guilty, back }) => (
  <form method="post" action="/telemetryui/crashes/unhidings">
    <input type="hidden" name="id" value={String(guilty.id)} />
    <Back back={back} />
    <button type="submit">
      Show again<span class="unseen"> {guilty.function}</span>
    </button>
  </form>
);

/** Without an id, retries all failed records. */
export const RetryForm: FC<FormProps & { id?: number | undefined; records?: number | undefined }> = props => (
  <form method="post" action="/telemetryui/crashes/retries">
    {props.id === undefined ? (
      <input type="hidden" name="all" value="1" />
    ) : (
      <input type="hidden" name="id" value={String(props.id)} />
    )}
    <Back back={props.back} />
    <button type="submit" class={props.id === undefined ? 'primary' : undefined}>
      {props.id === undefined ? `Try ${counted(props.records ?? 0, 'record')} again` : 'Try again'}
      {props.id !== undefined && <span class="unseen"> record {props.id}</span>}
    </button>
  </form>
);

export const RecomputeAllForm: FC = () => (
  <form method="post" action="/telemetryui/crashes/recomputations">
    <button type="submit">Recompute all</button>
  </form>
);
