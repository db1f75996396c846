const RANKS = ['~', 'end', '-', '^', 'number', 'letter', '+', '.', ':', '_'];

/** A second implementation of version_order(build) of the database, which compares pairs. */
export function compareBuilds(one: string, other: string): number {
  const [first, second] = [partsOf(one), partsOf(other)];
  for (let n = 0; ; n++) {
    const [a = 'end', b = 'end'] = [first[n], second[n]];
    const order = Math.sign(rankOf(a) - rankOf(b)) || compareAlike(a, b);
    if (order !== 0 || a === 'end') return order;
  }
}

/** The epoch, then whole numbers and single other characters. */
function partsOf(build: string): string[] {
  return (/^[0-9]+:/.test(build) ? build : `0:${build}`).match(/[0-9]+|[^0-9]/g)!;
}

function rankOf(part: string): number {
  const kind = part === 'end' ? part : /^[0-9]/.test(part) ? 'number' : /^[a-z]$/i.test(part) ? 'letter' : part;
  return RANKS.indexOf(kind);
}

function compareAlike(a: string, b: string): number {
  const [x, y] = /^[0-9]/.test(a) ? [BigInt(a), BigInt(b)] : [a, b];
  return x < y ? -1 : Number(x > y);
}
