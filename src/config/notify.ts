import { z } from 'zod';
import { splitList } from './list.ts';

/** The URL that notices are posted to: often with a token in its path or query, never with a user. */
export const webhookUrl = z
  .string()
  .trim()
  .refine(text => {
    const url = URL.parse(text);
    return (url?.protocol === 'https:' || url?.protocol === 'http:') && url.username === '' && url.password === '';
  });

/** A program and its arguments, started without a shell. */
export const programCall = z.preprocess(
  splitList,
  z
    .array(z.string({ error: 'text' }).refine(text => !text.includes('\0')))
    .refine(([program]) => program?.startsWith('/')),
);
