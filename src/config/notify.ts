import { z } from 'zod';
import { splitList } from './list.ts';

/** Where notices are posted to: tokens in its path or query are usual, a user is not. */
export const webhookUrl = z
  .string()
  .trim()
  .refine(text => {
    const url = URL.parse(text);
    return (url?.protocol === 'https:' || url?.protocol === 'http:') && url.username === '' && url.password === '';
  });

/** A program and its arguments, which no shell sees. */
export const programCall = z.preprocess(
  splitList,
  z
    .array(z.string({ error: 'text' }).refine(text => !text.includes('\0')))
    .refine(([program]) => program?.startsWith('/')),
);
