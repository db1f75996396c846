import { z } from 'zod';
import { postgresUrl } from '../config/values.ts';
import { UsageError } from './arguments.ts';
import { configOption, defineCommand, flag, type Option, print } from './command.ts';

const textOption = (placeholder: string, description: string, allowed: string): Option<string | undefined> => ({
  type: 'string',
  placeholder,
  description,
  schema: z.string().optional(),
  allowed,
});

export const importCommand = defineCommand({
  options: {
    config: configOption,
    from: textOption('URL', "the old server's database: postgres://USER@HOST/DATABASE", 'the URL of a database'),
    fleet: textOption(
      'NAME',
      'the fleet that the records get (default: the first of collector.tids)',
      'the name of a fleet',
    ),
    again: flag('read all of it again from the first record; what is here is not stored twice'),
    'dry-run': flag('write nothing: only show what would be copied'),
  },
  help: `Copies the records of an old telemetrics-backend, comments on guilties and the never-guilty list, from either of
its schemas. It only reads the old database. Records keep the time at which they came, and their id
if it is free. What can't be a record here is kept in quarantine and counted by reason.

It may run beside a running server, and be interrupted and run again: it continues where it stopped. A run
after it is complete copies what came since. At the end it compares the counts. The password may be in PGPASSWORD
instead of the URL, so that other users of this machine can't see it.

Exit codes: 0 all counts agree, 1 they don't, or not done, 2 wrong usage, 78 wrong configuration.

Examples:
  telemetricsd import --from postgres://postgres@localhost/telemdb --dry-run
  telemetricsd import --from postgres://postgres@localhost/telemdb --fleet desktops`,

  async run({ options: { from, ...options } }) {
    // The URL is never shown, since it may hold a password.
    if (from === undefined) throw new UsageError(['import needs --from URL'], 'import');
    const url = postgresUrl.safeParse(from);
    if (!url.success) throw new UsageError(['--from: expected postgres://USER@HOST/DATABASE'], 'import');
    const { importFrom } = await import('../import/command.ts');
    return importFrom(url.data, options, print);
  },
});
