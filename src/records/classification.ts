/** A test of classifications that caches its answers: there are few classifications and many records. */
export type ClassificationTest = (classification: string) => boolean;

const REMEMBERED = 2_000;

/** Tests whether a classification matches one of the patterns; `*` stands for any one of three parts. */
export function classificationTest(patterns: readonly string[]): ClassificationTest {
  const split = patterns.map(pattern => pattern.split('/'));
  const known = new Map<string, boolean>();
  return classification => {
    const remembered = known.get(classification);
    if (remembered !== undefined) return remembered;
    const parts = classification.split('/');
    const fits = split.some(pattern => pattern.every((part, index) => part === '*' || part === parts[index]));
    if (known.size >= REMEMBERED) known.clear();
    known.set(classification, fits);
    return fits;
  };
}

/**
 * The classifications in a search text: one or several with commas between them, each whole or with `*` for parts. A
 * comma belongs to a classification if no new one can begin after it.
 */
export function splitClassifications(text: string): string[] {
  return text.split(/,(?=[^/,]*\/)/);
}

/** Patterns for SQL `like`. A classification has three parts, so `%` can't match more than one. */
export function likePatterns(patterns: readonly string[]): string[] {
  return patterns.map(pattern =>
    pattern
      .split('/')
      .map(part => (part === '*' ? '%' : part.replaceAll(/[\\%_]/g, character => `\\${character}`)))
      .join('/'),
  );
}
