import type { Program } from './program.ts';

const FIRST_LIMIT = 150;
const LATER_LIMIT = 30;

/** What each page weighs as it is sent: with all of its assets when it is opened for the first time, and alone afterwards. */
export async function weighPages({ port }: Program, paths: string[]) {
  const assets = new Map<string, number>();
  const weights: { path: string; later: number; first: number }[] = [];
  for (const path of paths) {
    const { bytes: later, html } = await weigh(port, path);
    let first = later;
    for (const href of assetsOf(html)) {
      if (!assets.has(href)) assets.set(href, (await weigh(port, href)).bytes);
      first += assets.get(href)!;
    }
    weights.push({ path, later, first });
  }
  for (const [what, key, limit] of [
    ['with assets', 'first', FIRST_LIMIT],
    ['alone', 'later', LATER_LIMIT],
  ] as const) {
    const heaviest = weights.toSorted((a, b) => b[key] - a[key]);
    const past = heaviest.filter(weight => weight[key] > limit * 1000).map(({ path }) => path);
    const told = heaviest.slice(0, 3).map(weight => `${(weight[key] / 1000).toFixed(1)} KB ${weight.path}`);
    console.log(`  heaviest ${what}, compressed: ${told.join(', ')}; past ${limit} KB: ${past.join(', ') || 'none'}`);
  }
}

const assetsOf = (html: string): string[] =>
  [...html.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map(([, href]) => href!);

async function weigh(port: number, path: string): Promise<{ bytes: number; html: string }> {
  // Not decompressed, so that it is told what went over the wire.
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { 'Accept-Encoding': 'gzip' },
    decompress: false,
  });
  if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
  const body = new Uint8Array(await response.arrayBuffer());
  const packed = response.headers.get('content-encoding') === 'gzip';
  return { bytes: body.byteLength, html: new TextDecoder().decode(packed ? Bun.gunzipSync(body) : body) };
}
