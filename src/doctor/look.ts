import { OperatorError } from '../errors.ts';
import type { Check, Finding } from '../status/check.ts';

/** One check; a finding may have its own name. */
export type Look = [name: string, look: () => Found | Promise<Found>];
type Found = Finding | (Finding & { name?: string })[];

export const AS_ROOT = 'Run doctor as root or as the user of the service.';

/** Runs one check after the other; a check that fails to run does not stop the others. */
export async function lookAt(looks: Look[]): Promise<Check[]> {
  const checks: Check[] = [];
  for (const [name, look] of looks) {
    const found = await Promise.try(look).catch(failed);
    checks.push(...[found].flat().map(finding => ({ name, ...finding })));
  }
  return checks;
}

function failed(error: unknown): Finding {
  if (error instanceof OperatorError) return { level: 'error', text: `${error.message}.`, remedy: error.remedy };
  const { code, message } = error as NodeJS.ErrnoException;
  const remedy = code === 'EACCES' || code === 'EPERM' ? AS_ROOT : undefined;
  return { level: 'error', text: `It can't be checked: ${message}.`, remedy };
}
