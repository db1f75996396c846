import { zValidator } from '@hono/zod-validator';
import type { Context } from 'hono';
import { z } from 'zod';
import { RequestError } from './errors.ts';

/** Query parameters as text in, typed values out; an absent or empty one counts as not given. */
const given = <T extends z.ZodType>(schema: T) =>
  z.preprocess(value => (value === '' ? undefined : value), schema.optional());

/** An integer in decimal ASCII digits. */
export const integerParam = (least: number, most: number) =>
  given(
    z
      .string(`expected an integer from ${least} to ${most}, once`)
      .refine(text => /^[0-9]{1,16}$/.test(text) && Number(text) >= least && Number(text) <= most, {
        error: `expected an integer from ${least} to ${most}`,
      })
      .transform(Number),
  );

export const textParam = (most: number) =>
  given(
    z
      .string(`expected at most ${most} characters, once`)
      .refine(text => [...text].length <= most && !/[\p{Cc}\p{Cs}]/u.test(text), {
        error: `expected at most ${most} printable characters`,
      }),
  );

/** Clients send as many characters of it. */
export const LONGEST_SYSTEM_NAME = 79;

export const systemParam = textParam(LONGEST_SYSTEM_NAME);

export const choiceParam = <const Choices extends readonly [string, ...string[]]>(choices: Choices) =>
  given(z.enum(choices, { error: `expected ${choices.map(choice => `"${choice}"`).join(' or ')}` }));

/** Ids are JSON integers. */
export const idParam = integerParam(0, Number.MAX_SAFE_INTEGER);

/** Those of users, sessions and tokens are of PostgreSQL's smaller type. */
export const accessIdParam = integerParam(0, 2 ** 31 - 1);

/** `limit: got "0", expected an integer from 1 to 10000` for the first thing wrong. */
function firstProblem(error: z.core.$ZodError, input: unknown): string {
  const [issue] = error.issues;
  const name = String(issue!.path[0] ?? 'request');
  const value = (input as Record<string, unknown>)[name];
  return `${name}: got ${JSON.stringify(typeof value === 'string' ? value.slice(0, 100) : value) ?? 'nothing'}, ${issue!.message}`;
}

function problemsByField(error: z.core.$ZodError): Record<string, string> {
  const problems: Record<string, string> = {};
  for (const issue of error.issues) problems[String(issue.path[0] ?? '')] ??= issue.message;
  return problems;
}

// What a request brings is taken in by `valid`, bodies by `parseOrRefuse`, and by `checkForm` where a page shows mistakes beside the fields of
// its form. Operators read other words: config/load.ts and commands/arguments.ts say what is wrong with settings and options.

/** Lets a request through to its handler, which reads the typed values by `c.req.valid`; else a RequestError 400 says what is wrong. */
export const valid = <Target extends 'query' | 'param', Schema extends z.ZodType>(target: Target, schema: Schema) =>
  zValidator(target, schema, result => {
    if (!result.success) throw new RequestError(400, firstProblem(result.error, result.data));
  });

/** The typed value of some input, or a RequestError 400 that says what is wrong with it. */
export function parseOrRefuse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input);
  if (!result.success) throw new RequestError(400, firstProblem(result.error, input));
  return result.data;
}

type Checked<Value> = { data: Value; errors?: undefined } | { data?: undefined; errors: Record<string, string> };

/** The typed value of some input, or what is wrong with it by field. */
export function checkForm<Schema extends z.ZodType>(schema: Schema, input: unknown): Checked<z.output<Schema>> {
  const result = schema.safeParse(input);
  return result.success ? { data: result.data } : { errors: problemsByField(result.error) };
}

/** The same for the query of a page whose form has all of its parameters: nothing of it counts where one is wrong. */
export function readQuery<Schema extends z.ZodType>(schema: Schema, input: unknown) {
  const { data, errors } = checkForm(schema, input);
  return { query: (data ?? {}) as Partial<z.output<Schema>>, errors };
}

/** The id in a path; undefined where it is none, so that nothing can be there. */
export function idInPath(text: string | undefined): number | undefined {
  return idParam.safeParse(text).data;
}

/** The parameters of a query; one that is given several times is a list, which schemas of one value refuse. */
export function queryOf(c: Context): Record<string, string | string[]> {
  const lists = Object.entries(c.req.queries());
  return Object.fromEntries(lists.map(([name, values]) => [name, values.length === 1 ? values[0]! : values]));
}

/** The fields of a form, with every value of each; files, which no form of ours has, are left out. */
export async function formListsOf(c: Context): Promise<Record<string, string[]>> {
  const body = await c.req.parseBody({ all: true }).catch(error => {
    if (error.code !== 'ERR_FORMDATA_PARSE_ERROR') throw error;
    throw new RequestError(400, 'the body is not the form that its Content-Type says');
  });
  const texts = (value: unknown) => [value].flat().filter(one => typeof one === 'string');
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, texts(value)]));
}

/** The same with the last value of each. */
export async function formOf(c: Context): Promise<Record<string, string>> {
  const lists = Object.entries(await formListsOf(c)).filter(([, values]) => values.length > 0);
  return Object.fromEntries(lists.map(([name, values]) => [name, values.at(-1)!]));
}
