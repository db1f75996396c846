import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };

const ROOT = resolve(import.meta.dir, '../..');
const SOURCES = [
  'src',
  'sql',
  'static',
  'views',
  'package.json',
  'tsconfig.json',
  'bunfig.toml',
  'dist/postgres.tar.zst',
];

/** What an administrator unpacks: install.sh, the unit and the executable. */
export function putRelease(directory: string, executable = join(ROOT, 'dist/telemetricsd')) {
  mkdirSync(directory, { recursive: true });
  cpSync(join(ROOT, 'install.sh'), join(directory, 'install.sh'));
  cpSync(join(ROOT, 'systemd'), join(directory, 'systemd'), { recursive: true });
  cpSync(executable, join(directory, 'telemetricsd'));
}

/** The next release: the same program with another version and further migrations, by file name. */
export function putNextRelease(directory: string, version: string, migrations: Record<string, string>) {
  const tree = mkdtempSync(join(tmpdir(), 'telemetricsd-release-'));
  try {
    for (const path of SOURCES) cpSync(join(ROOT, path), join(tree, path), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
    writeFileSync(join(tree, 'package.json'), JSON.stringify({ ...packageJson, version }));
    for (const [name, sql] of Object.entries(migrations)) writeFileSync(join(tree, 'sql', name), sql);
    const built = Bun.spawnSync([process.execPath, 'src/build/executable.ts'], { cwd: tree, stderr: 'pipe' });
    if (!built.success) throw new Error(`${version} can't be built: ${built.stderr}`);
    putRelease(directory, join(tree, 'dist/telemetricsd'));
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}
