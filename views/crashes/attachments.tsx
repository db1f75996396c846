import type { FC } from 'hono/jsx';
import { dayOf } from '../../src/time/ago.ts';
import { visible } from '../parts/visible.ts';

/** What a machine sent beside a report. Of a link, `text` is its http or https address. */
export interface ShownAttachment {
  kind: 'link' | 'comment';
  text: string;
  attachedAt: Date;
}

export const Attachments: FC<{ attachments: ShownAttachment[] }> = ({ attachments }) => (
  <>
    <h2>Reported by machines</h2>
    <p class="small soft">People wrote this on machines that report by ABRT. Nobody here has checked it.</p>
    <ul>
      {attachments.map(({ kind, text, attachedAt }) => (
        <li>
          {kind === 'link' ? (
            <a href={text} rel="nofollow noreferrer">
              {visible(text)}
            </a>
          ) : (
            visible(text)
          )}{' '}
          <span class="soft">{dayOf(attachedAt)}</span>
        </li>
      ))}
    </ul>
  </>
);
