import { CronPattern } from 'croner';
import { z } from 'zod';

/** Five fields, as croner reads them. */
export const cronExpression = z.string().trim().refine(isCron);

function isCron(text: string): boolean {
  if (text.split(/\s+/).length !== 5) return false;
  try {
    new CronPattern(text);
    return true;
  } catch {
    return false;
  }
}
