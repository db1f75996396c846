import type { Program } from './program.ts';

/** What pages may weigh: with all their assets when first opened, and without them afterwards. */
export const LIMITS = { first: 150_000, later: 30_000 };

interface Weight {
  path: string;
  first: number;
  later: number;
}

/** The bytes of each page as sent, compressed. */
export async function weighPages(port: number, paths: string[]): Promise<Weight[]> {
  const assets = new Map<string, number>();
  const weights: Weight[] = [];
  for (const path of paths) {
    const { bytes: later, html } = await weigh(port, path);
    let first = later;
    for (const href of assetsOf(html)) {
      if (!assets.has(href)) assets.set(href, (await weigh(port, href)).bytes);
      first += assets.get(href)!;
    }
    weights.push({ path, later, first });
  }
  return weights;
}

export async function benchWeights({ port }: Program, paths: string[]) {
  const weights = await weighPages(port, paths);
  for (const [what, key] of [
    ['with assets', 'first'],
    ['alone', 'later'],
  ] as const) {
    const heaviest = weights.toSorted((a, b) => b[key] - a[key]);
    const past = heaviest.filter(weight => weight[key] > LIMITS[key]).map(({ path }) => path);
    const told = heaviest.slice(0, 3).map(weight => `${kilobytes(weight[key])} ${weight.path}`);
    console.log(
      `  heaviest ${what}, compressed: ${told.join(', ')}; past ${kilobytes(LIMITS[key])}: ${past.join(', ') || 'none'}`,
    );
  }
}

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} KB`;

const assetsOf = (html: string): string[] =>
  [...html.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map(([, href]) => href!);

async function weigh(port: number, path: string): Promise<{ bytes: number; html: string }> {
  // Not decompressed, to count the bytes that were sent.
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { 'Accept-Encoding': 'gzip' },
    decompress: false,
  });
  if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
  const body = new Uint8Array(await response.arrayBuffer());
  const packed = response.headers.get('content-encoding') === 'gzip';
  return { bytes: body.byteLength, html: new TextDecoder().decode(packed ? Bun.gunzipSync(body) : body) };
}
