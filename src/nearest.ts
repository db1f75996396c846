/** The candidate that the user probably meant by `word`; undefined if none is close. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let smallest = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const cost = distance(wanted, candidate.toLowerCase());
    if (cost < smallest && cost < candidate.length) {
      smallest = cost;
      best = candidate;
    }
  }
  return best ?? [...candidates].find(candidate => isPartOf(wanted, candidate.toLowerCase()));
}

/** Damerau-Levenshtein in its "optimal string alignment" form: a swap of two neighbours counts as one mistake. */
function distance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        previous[j]! + 1,
        row[j - 1]! + 1,
        substitution,
        swapped ? beforePrevious[j - 2]! + 1 : Infinity,
      );
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[b.length]!;
}

/** `mig` for `migrate`, `payload` for `max_payload`. */
function isPartOf(word: string, candidate: string): boolean {
  return word.length >= 2 && (candidate.startsWith(word) || (word.length >= 4 && candidate.includes(word)));
}
