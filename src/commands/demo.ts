import { configOption, defineCommand, flag, integerOption } from './command.ts';

export const demo = defineCommand({
  options: {
    config: configOption,
    records: integerOption({ description: 'how many records', default: 100_000, min: 1, max: 100_000_000 }),
    machines: integerOption({ description: 'how many machines report', default: 2_000, min: 1, max: 10_000_000 }),
    days: integerOption({ description: 'over how many days, up to now', default: 35, min: 1, max: 400 }),
    seed: integerOption({ description: 'the same seed gives the same fleet', default: 1, min: 0, max: 4_294_967_295 }),
    explain: flag('say what there is to find in the data of these options, and write nothing'),
    force: flag('write into a database that has records already'),
  },
  help: `Writes SAMPLE DATA into the configured database, to see what the pages look like: several operating
systems whose builds follow one another, machines that update, change their ids and send a heartbeat a day,
builds that crash more or less often than others (--explain says which). Nobody can tell sample data from
real records afterwards, so without --force it refuses a database that has records other than test records.
It is best to use a separate state directory.

Exit codes: 0 written, 1 not written, 2 wrong usage, 78 wrong configuration.

Examples:
  TELEMETRICSD_STATE_DIR=./demo telemetricsd demo
  TELEMETRICSD_STATE_DIR=./demo telemetricsd serve --welcome
  telemetricsd demo --records 1000000 --machines 8000 --days 90 --seed 7`,

  async run({ options }) {
    if (options.explain) {
      const { explainFleet } = await import('../demo/truth.ts');
      process.stdout.write(explainFleet({ ...options, until: new Date() }));
      return 0;
    }
    const { writeDemo } = await import('../demo/command.ts');
    return writeDemo(options);
  },
});
