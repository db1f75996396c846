import { fileOf, programOf } from './coredump.ts';
import { fieldText, type JournalEntry } from './journal-entry.ts';
import { linesOf } from './lines.ts';

export interface Package {
  name: string;
  version: string | null;
}

/** A module of a crashed program, with what systemd-coredump found out about it. */
interface CrashedModule {
  module: string;
  buildId: string | null;
  /** `bash-5.2.15-2+b2`, from a package note in the module. */
  package: string | null;
}

/**
 * systemd 249: `Module app with build-id 1f2e…`, `Module app without build-id.`; later: `Module app from deb app-1.0-1.amd64`,
 * `Module app, build-id=1f2e…`, or both.
 */
const MODULE =
  /^(?:Found m|M)odule ([^\n]{1,4096}?)(?: with build-id:? ([0-9a-f]{4,128})| without build-id\.?| from [a-z]{1,16} ([^\s,]{1,300})(?:, build-id=([0-9a-f]{4,128}))?|, build-id=([0-9a-f]{4,128}))?$/;
const MOST_LINE = 5_000;
const MOST_MODULES = 500;
const ARCHITECTURE =
  /\.(?:amd64|x86_64(?:_v[234])?|i[3-6]86|x86|arm64|aarch64|arm(?:hf|el|v[5-8]\w*)|ppc64(?:el|le)?|riscv64|s390x?|loong(?:arch)?64|mips\w*|noarch|all|any)$/;

export function modulesOf(entry: JournalEntry): CrashedModule[] {
  const modules: CrashedModule[] = [];
  for (const line of linesOf(fieldText(entry, 'MESSAGE') ?? '')) {
    const found = line.length <= MOST_LINE ? MODULE.exec(line) : null;
    if (!found) continue;
    const [, module, with249, packageName, withPackage, alone] = found;
    modules.push({ module: module!, buildId: with249 ?? withPackage ?? alone ?? null, package: packageName ?? null });
    if (modules.length === MOST_MODULES) break;
  }
  return modules;
}

/** The package of the program: from a field, or else from the program's module in the message. */
export function packageOf(entry: JournalEntry): Package | undefined {
  const name = fieldText(entry, 'COREDUMP_PACKAGE_NAME');
  if (name !== null) return { name, version: fieldText(entry, 'COREDUMP_PACKAGE_VERSION') };
  const program = programOf(entry);
  if (program === null) return undefined;
  const file = fileOf(program);
  const module = modulesOf(entry).find(found => found.package !== null && fileOf(found.module) === file);
  return module ? splitPackage(module.package!.replace(ARCHITECTURE, '')) : undefined;
}

/** `gcc-13-base-13.2.0-1`: a version begins with a digit, and has at most one hyphen, before its revision. */
function splitPackage(text: string): Package {
  const last = text.lastIndexOf('-');
  const before = text.lastIndexOf('-', last - 1);
  const at = before > 0 && /[0-9]/.test(text[before + 1] ?? '') ? before : last;
  if (at <= 0 || !/[0-9]/.test(text[at + 1] ?? '')) return { name: text, version: null };
  return { name: text.slice(0, at), version: text.slice(at + 1) };
}
