/** Builds dist/telemetricsd: one file that needs nothing beside it. Run by `npm run build`. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };

const root = join(import.meta.dir, '../..');
const outfile = join(root, 'dist/telemetricsd');

// The baseline build runs on processors without AVX2, too.
const runtime = process.arch === 'x64' ? 'bun-linux-x64-baseline' : 'bun-linux-aarch64';
const runtimePath = join(root, 'node_modules/@oven', runtime, 'bin/bun');
if (!existsSync(runtimePath)) {
  console.error(`The package @oven/${runtime} is missing: run "npm run setup" on the kind of machine to build for.`);
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
    '--bytecode',
    '--format=esm',
    '--sourcemap=inline',
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
    // Clients may send 16 KB of headers; Bun's own limit for all of them together is just that.
    '--compile-exec-argv=--max-http-header-size=32768',
    `--define=VERSION=${JSON.stringify(packageJson.version)}`,
    'src/main.ts',
    'src/worker.ts',
    'src/scrub-worker.ts',
    `--outfile=${outfile}`,
  ],
  { cwd: root, stdout: 'pipe', stderr: 'pipe' },
);
if (!build.success) {
  console.error(`${build.stdout}${build.stderr}`);
  process.exit(1);
}
console.log(`dist/telemetricsd ${packageJson.version}: ${Math.round(statSync(outfile).size / 1e6)} MB`);
