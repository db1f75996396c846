import type { Parsed, ParserRecord } from 'telemetricsd/parser';

/** The records that come here: three parts each, "*" stands for any one of them. */
export const classifications = ['*/journal/error'];

/** What the journal says of a service that failed. */
export default function parse({ payload }: ParserRecord): Parsed {
  const [, message] = /^MESSAGE=(.*)$/m.exec(payload) ?? [];
  // Nothing to tell: the record stays without data.
  if (message === undefined) return undefined;
  const [, unit, kind] = /^([\w@.-]+\.(service|timer|socket|mount)): /.exec(message) ?? [];
  const [, status] = /\bstatus=(\d+)/.exec(message) ?? [];
  return { unit, kind, status: status === undefined ? undefined : Number(status), message: message.slice(0, 200) };
}
