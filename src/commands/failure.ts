import { loadConfig } from '../config/load.ts';
import { ConfigError } from '../config/problem.ts';
import { UsageError } from './arguments.ts';

const FAILED = 1;
const WRONG_USAGE = 2;
/** EX_CONFIG of sysexits.h; a service manager should not try again. */
const WRONG_CONFIGURATION = 78;

/** Prints what went wrong on stderr; returns the exit code. */
export function reportFailure(error: unknown, args: string[]): number {
  if (error instanceof UsageError) {
    const help = error.command ? `telemetricsd ${error.command} --help` : 'telemetricsd --help';
    complain(`${prefixed(error.message)}\nTry: ${help}`);
    return WRONG_USAGE;
  }
  if (error instanceof ConfigError) {
    complain(`telemetricsd: ${error.message}`);
    return WRONG_CONFIGURATION;
  }
  complain(`telemetricsd: ${oneLine(messageOf(error))}`);
  const remedy = (error as { remedy?: unknown } | null)?.remedy;
  if (typeof remedy === 'string') complain(oneLine(remedy));
  if (debugging(args)) complain(stackOf(error));
  return FAILED;
}

function prefixed(lines: string): string {
  return lines.replace(/^/gm, 'telemetricsd: ');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const cause = error.cause ? `\nCaused by: ${stackOf(error.cause) || String(error.cause)}` : '';
  return `${error.stack ?? error.name}${cause}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').trim();
}

/** Reads the configuration again, since the command may have failed before it had any. */
function debugging(args: string[]): boolean {
  const at = args.findIndex(arg => arg === '--config' || arg.startsWith('--config='));
  const file = at < 0 ? undefined : args[at] === '--config' ? args[at + 1] : args[at]!.slice('--config='.length);
  try {
    return loadConfig({ file }).config.log.level === 'debug';
  } catch {
    return false;
  }
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}
