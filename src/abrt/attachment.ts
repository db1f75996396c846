import { z } from 'zod';
import type { Attachment } from '../crashes/attachments.ts';
import { storable } from '../db/storable.ts';
import { decodeText } from '../decode-text.ts';
import { RequestError } from '../errors.ts';

const MOST_TEXT = 1_000;
/** Types under which libreport sends the address of a person. */
const OF_PEOPLE = /mail/i;
/** Under these it sends the number of a bug. */
const BUGZILLA = /^(?:rhbz|fedora-bugzilla)$/i;
const BUGZILLA_BUG = 'https://bugzilla.redhat.com/show_bug.cgi?id=';

const attachment = z.object({
  bthash: z.string().regex(/^[0-9a-f]{32}$/i, 'expected 32 hexadecimal digits, as the answer to a report has them'),
  type: z.string().min(1).max(64),
  data: z.string().trim().min(1, 'expected a text').max(MOST_TEXT, `expected at most ${MOST_TEXT} characters`),
});

/** What a machine attaches to its report; 'dropped' where that is not to be kept. */
export function readAttachment(file: Uint8Array): Attachment | 'dropped' {
  const { bthash: hash, type, data } = parsed(decodeText(file));
  if (OF_PEOPLE.test(type)) return 'dropped';
  if (type === 'comment') return { hash, kind: 'comment', text: storable(data) };
  const link = BUGZILLA.test(type) && /^\d{1,10}$/.test(data) ? `${BUGZILLA_BUG}${data}` : data;
  return { hash, kind: 'link', text: addressOf(link) };
}

/** What rules of privacy.scrub may have changed is checked once more. */
export function checked({ kind, text, ...others }: Attachment): Attachment {
  if (text === '' || text.length > MOST_TEXT)
    throw new RequestError(400, 'data: the rules of privacy.scrub leave nothing to keep');
  return { ...others, kind, text: kind === 'link' ? addressOf(text) : text };
}

function parsed(json: string): z.output<typeof attachment> {
  let given: unknown;
  try {
    given = JSON.parse(json);
  } catch {
    throw new RequestError(400, 'body: not JSON, expected an object with bthash, type and data');
  }
  const result = attachment.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new RequestError(400, `${issue!.path.join('.') || 'body'}: ${issue!.message}`);
}

function addressOf(link: string): string {
  const url = URL.parse(link);
  if (!url || !/^https?:$/.test(url.protocol) || url.href.length > MOST_TEXT)
    throw new RequestError(400, 'data: expected an http or https address, or the type "comment"');
  return storable(url.href);
}
