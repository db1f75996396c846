/** Whether a classification fits one of the patterns: three parts, of which `*` stands for any. */
export function matchesAny(patterns: readonly string[], classification: string): boolean {
  const parts = classification.split('/');
  return patterns.some(pattern => pattern.split('/').every((part, index) => part === '*' || part === parts[index]));
}
