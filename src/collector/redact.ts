import type { Scrubber } from '../privacy/scrubber.ts';
import type { Form } from './forms.ts';
import type { RequestHeaders } from './parse.ts';

const WITHHELD = '(withheld by privacy.scrub)';

/**
 * The body of a refused request as it may be kept. Its payload is scrubbed like a record's, by all rules if its
 * classification is unknown. It is left out if scrubbing fails, as for the rule `withheldBy`.
 */
export async function redactBody(
  scrubber: Scrubber,
  { form, headers, body }: { form: Form; headers: RequestHeaders; body: Uint8Array },
  withheldBy: string | undefined,
): Promise<{ body: Uint8Array; scrubbedBy: string[] }> {
  const found = form.findPayload(headers, body);
  const privateBy = form.privateBy(body, found);
  if (!scrubber.hasRules && privateBy === undefined) return { body, scrubbedBy: [] };
  if (!found) return { body: Buffer.from(WITHHELD), scrubbedBy: privateBy === undefined ? [] : [privateBy] };
  if (withheldBy !== undefined) return { body: found.bodyWith(WITHHELD), scrubbedBy: [withheldBy] };
  const scrubbed = await scrubber.scrub(found.payload, found.classification);
  if (scrubbed.kind === 'failed') return { body: found.bodyWith(WITHHELD), scrubbedBy: [scrubbed.rule] };
  return { body: found.bodyWith(scrubbed.payload), scrubbedBy: [...(found.scrubbedBy ?? []), ...scrubbed.by] };
}
