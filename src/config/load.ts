import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { contradictions } from './contradictions.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { DEFAULT_FILE, type GivenValue, readConfigFile } from './file.ts';
import type { LoadedConfig } from './loaded.ts';
import { ConfigError, type Problem, showValue } from './problem.ts';
import { type Config, declaredSettings } from './settings.ts';

interface LoadOptions {
  /** A file that must exist; left out: the default one, if it exists. */
  file?: string | undefined;
  /** Left out: that of the process. */
  env?: Environment;
}

/** Reads file and environment; throws a ConfigError that holds every mistake in them. */
export function loadConfig({ file, env = process.env }: LoadOptions = {}): LoadedConfig {
  const problems: Problem[] = [];
  const given = [...readConfigFile(file, problems), ...readEnvironment(env, problems)];
  const config: Record<string, Record<string, unknown>> = defaults();
  const origins = new Map<string, string>();
  for (const value of given) {
    const { section, name, key } = value.declared;
    config[section]![name] = validate(value, problems);
    origins.set(key, value.from);
  }
  const loaded = {
    config: config as Config,
    directory: dirname(resolve(file ?? DEFAULT_FILE)),
    origin: (key: string) => origins.get(key) ?? 'default',
  };
  if (problems.length === 0) problems.push(...contradictions(loaded));
  if (problems.length > 0) throw new ConfigError(problems);
  return loaded;
}

function defaults() {
  const config: Record<string, Record<string, unknown>> = {};
  for (const { section, name, setting } of declaredSettings) {
    config[section] ??= {};
    config[section][name] = setting.schema.parse(setting.default);
  }
  return config;
}

function validate(given: GivenValue, problems: Problem[]): unknown {
  const result = given.declared.setting.schema.safeParse(given.raw, { reportInput: true });
  if (!result.success) problems.push(...result.error.issues.map(issue => toProblem(issue, given)));
  return result.data;
}

/** A mistake inside a list carries its own text of what was expected, one of the whole value that of the setting. */
function toProblem(issue: z.core.$ZodIssue, { declared, from, raw }: GivenValue): Problem {
  const inside = issue.path.length > 0;
  const shown = inside ? issue.input : raw;
  return {
    key: declared.key + issue.path.map(part => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join(''),
    from,
    value: declared.setting.secret ? undefined : shown === undefined ? 'nothing' : showValue(shown),
    allowed: inside ? issue.message : declared.setting.allowed,
  };
}
