/** A question about classifications, with its answers remembered: there are few of them and many records. */
export type ClassificationTest = (classification: string) => boolean;

const REMEMBERED = 2_000;

/** Tells whether a classification fits one of the patterns: three parts, of which `*` stands for any. */
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
 * What a search for classifications names: one or several with commas between them, each whole or with `*` for parts of it. A comma
 * within a classification stands where no new one can begin after it.
 */
export function splitClassifications(text: string): string[] {
  return text.split(/,(?=[^/,]*\/)/);
}

/** Patterns as SQL `like` takes them. A classification has three parts, so that `%` can stand for no more than one. */
export function likePatterns(patterns: readonly string[]): string[] {
  return patterns.map(pattern =>
    pattern
      .split('/')
      .map(part => (part === '*' ? '%' : part.replaceAll(/[\\%_]/g, character => `\\${character}`)))
      .join('/'),
  );
}
