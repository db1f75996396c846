import { RequestError } from '../errors.ts';

const EXPECTED = 'expected multipart/form-data with the JSON text in the field "file"';

/** What a client of ABRT's servers has put into the field `file` of its form, as bytes. */
export async function fileOfForm(request: Request, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^multipart\/form-data\b/i.test(type))
    throw new RequestError(400, `Content-Type: got ${JSON.stringify(type.slice(0, 100))}, ${EXPECTED}`);
  if (Number(request.headers.get('content-length') ?? 0) > most) throw tooLarge(most);
  const body = await request.bytes();
  if (body.byteLength > most) throw tooLarge(most);
  const form = await new Response(body, { headers: { 'Content-Type': type } }).formData().catch(() => undefined);
  const file = form?.get('file');
  if (file instanceof Blob) return file.bytes();
  if (typeof file === 'string') return Buffer.from(file);
  throw new RequestError(
    400,
    `body: ${form ? 'there is no field "file" in the form' : 'not a form, or not all of it'}, ${EXPECTED}`,
  );
}

function tooLarge(most: number) {
  return new RequestError(413, `the body is too large, expected at most ${most} bytes (collector.max_payload)`);
}
