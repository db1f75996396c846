/** An error of foreign code in one line: its message, and the line in a file of `folder` where it happened. */
export function describeBriefly(error: unknown, folder: string): string {
  if (!(error instanceof Error)) return Bun.inspect(error);
  const lines = error.stack?.split('\n').map(line => line.trim()) ?? [];
  const place = lines.find(line => line.startsWith('at ') && line.includes(folder));
  return [`${error.name}: ${error.message}`, place].filter(Boolean).join(' ');
}

/** An error of foreign code with the source lines around it. */
export function describeFully(error: unknown): string {
  return Bun.inspect(error).trimEnd();
}

/** The process has no memory left, and may never get any. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof RangeError && error.message === 'Out of memory';
}
