import { zValidator } from '@hono/zod-validator';
import type { Context } from 'hono';
import { z } from 'zod';
import { RequestError } from './errors.ts';

/** An absent or empty parameter counts as not given. */
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

/** Clients send up to this many characters of it. */
export const LONGEST_SYSTEM_NAME = 79;

export const systemParam = textParam(LONGEST_SYSTEM_NAME);

export const choiceParam = <const Choices extends readonly [string, ...string[]]>(choices: Choices) =>
  given(z.enum(choices, { error: `expected ${choices.map(choice => `"${choice}"`).join(' or ')}` }));

/** Ids are JSON integers. */
export const idParam = integerParam(0, Number.MAX_SAFE_INTEGER);

/** Ids of users, sessions and tokens, which are of PostgreSQL's smaller type. */
export const accessIdParam = integerParam(0, 2 ** 31 - 1);

/** Says what is wrong first: `limit: got "0", expected an integer from 1 to 10000`. */
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

// `valid` reads queries and paths, `parseOrRefuse` bodies, and `checkForm` the form of a page that shows mistakes beside its
// fields. Settings and command options use other words: see config/load.ts and commands/arguments.ts.

/** Passes a valid request to its handler, which reads the typed values with `c.req.valid`; else throws a RequestError 400. */
export const valid = <Target extends 'query' | 'param', Schema extends z.ZodType>(target: Target, schema: Schema) =>
  zValidator(target, schema, result => {
    if (!result.success) throw new RequestError(400, firstProblem(result.error, result.data));
  });

/** Returns the typed value, or throws a RequestError 400 that says what is wrong. */
export function parseOrRefuse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input);
  if (!result.success) throw new RequestError(400, firstProblem(result.error, input));
  return result.data;
}

type Checked<Value> = { data: Value; errors?: undefined } | { data?: undefined; errors: Record<string, string> };

/** Returns the typed value, or the mistakes by field. */
export function checkForm<Schema extends z.ZodType>(schema: Schema, input: unknown): Checked<z.output<Schema>> {
  const result = schema.safeParse(input);
  return result.success ? { data: result.data } : { errors: problemsByField(result.error) };
}

/** Like checkForm, for the query of a page whose form has all of its parameters. If one is wrong, none counts. */
export function readQuery<Schema extends z.ZodType>(schema: Schema, input: unknown) {
  const { data, errors } = checkForm(schema, input);
  return { query: (data ?? {}) as Partial<z.output<Schema>>, errors };
}

/** The id in a path; undefined if it can't be an id, so nothing is there. */
export function idInPath(text: string | undefined): number | undefined {
  return idParam.safeParse(text).data;
}

/** The parameters of a query. A repeated parameter becomes a list, which schemas of one value refuse. */
export function queryOf(c: Context): Record<string, string | string[]> {
  const lists = Object.entries(c.req.queries());
  return Object.fromEntries(lists.map(([name, values]) => [name, values.length === 1 ? values[0]! : values]));
}

/** Every value of each field of a form. Leaves out files; none of our forms has any. */
export async function formListsOf(c: Context): Promise<Record<string, string[]>> {
  const body = await c.req.parseBody({ all: true }).catch(error => {
    if (error.code !== 'ERR_FORMDATA_PARSE_ERROR') throw error;
    throw new RequestError(400, 'the body is not the form that its Content-Type says');
  });
  const texts = (value: unknown) => [value].flat().filter(one => typeof one === 'string');
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, texts(value)]));
}

/** The last value of each field of a form. */
export async function formOf(c: Context): Promise<Record<string, string>> {
  const lists = Object.entries(await formListsOf(c)).filter(([, values]) => values.length > 0);
  return Object.fromEntries(lists.map(([name, values]) => [name, values.at(-1)!]));
}
