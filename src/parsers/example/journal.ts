import type { Parsed, ParserRecord } from 'telemetricsd/parser';

/** The classifications that this parser reads: three parts each, "*" stands for any one of them. */
export const classifications = ['*/journal/error'];

/** Reads what the journal says about a service that failed. */
export default function parse({ payload }: ParserRecord): Parsed {
  const [, message] = /^MESSAGE=(.*)$/m.exec(payload) ?? [];
  // Returns nothing: the record stays without data.
  if (message === undefined) return undefined;
  const [, unit, kind] = /^([\w@.-]+\.(service|timer|socket|mount)): /.exec(message) ?? [];
  const [, status] = /\bstatus=(\d+)/.exec(message) ?? [];
  return { unit, kind, status: status === undefined ? undefined : Number(status), message: message.slice(0, 200) };
}
