/**
 * Builds dist/telemetricsd, one file that needs no others. `npm run build` runs it. TARGET=arm64 (or x64) builds
 * dist/telemetricsd-arm64 for the other kind of processor.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { targetArchitecture } from './target.ts';

const root = join(import.meta.dir, '../..');
const architecture = targetArchitecture();
const isCross = architecture !== process.arch;
const name = isCross ? `dist/telemetricsd-${architecture}` : 'dist/telemetricsd';

// The baseline build also runs on processors without AVX2.
const runtime = architecture === 'x64' ? 'bun-linux-x64-baseline' : 'bun-linux-aarch64';
const runtimePath = join(root, 'node_modules/@oven', runtime, 'bin/bun');
if (!existsSync(runtimePath)) {
  console.error(`The package @oven/${runtime} is missing: run "TARGET=${architecture} npm run setup".`);
  process.exit(1);
}

const build = Bun.spawnSync(
  [
    process.execPath,
    'build',
    '--compile',
    `--compile-executable-path=${runtimePath}`,
    '--minify-syntax',
    '--minify-whitespace',
    // Bytecode made on one kind of processor crashes on another (oven-sh/bun#18416); without it the program starts a little slower.
    ...(isCross ? [] : ['--bytecode']),
    '--format=esm',
    '--sourcemap=inline',
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
    // Clients may send 16 KB of headers, and Bun's default limit for all of them together is just that.
    '--compile-exec-argv=--max-http-header-size=32768',
    `--define=VERSION=${JSON.stringify(packageJson.version)}`,
    'src/main.ts',
    'src/crashes/worker.ts',
    'src/privacy/scrub-worker.ts',
    `--outfile=${join(root, name)}`,
  ],
  { cwd: root, stdout: 'pipe', stderr: 'pipe' },
);
if (!build.success) {
  console.error(`${build.stdout}${build.stderr}`);
  process.exit(1);
}
console.log(`${name} ${packageJson.version}: ${Math.round(statSync(join(root, name)).size / 1e6)} MB`);
