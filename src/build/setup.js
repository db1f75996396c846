/**
 * Installs what the scripts of package.json need: the pinned Bun as node_modules/.bin/bun, the locked packages and
 * dist/postgres.tar.zst. The registry is asked only for what is neither installed nor cached. Run by `npm run setup`, by Node.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const PROBE_MS = 10_000;

const bunPackage = { x64: '@oven/bun-linux-x64-baseline', arm64: '@oven/bun-linux-aarch64' }[process.arch];
if (process.platform !== 'linux' || !bunPackage)
  fail(`telemetricsd runs on 64-bit Linux, x86-64 or ARM; this is ${process.platform} on ${process.arch}.`);
const version = readJson(join(root, 'package.json')).optionalDependencies[bunPackage];
const ownBun = join(root, 'node_modules', bunPackage, 'bin/bun');

if (isInstalled()) installPackages(ownBun);
else installWithFetchedBun();
if (!isInstalled())
  fail(`The package ${bunPackage} is missing: it is for Linux with glibc, and optional packages must not be left out.`);
linkBun();
const packed = run(ownBun, ['src/build/pack-postgres.ts']);
process.exit(packed.status ?? 1);

function isInstalled() {
  const manifest = join(root, 'node_modules', bunPackage, 'package.json');
  return existsSync(manifest) && readJson(manifest).version === version && existsSync(ownBun);
}

/** The packages are locked in a file of Bun's, so a Bun has to come first: it goes again once it has installed itself among them. */
function installWithFetchedBun() {
  mkdirSync(join(root, 'dist'), { recursive: true });
  const scratch = mkdtempSync(join(root, 'dist/.bun-'));
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
  console.error(`Installing Bun ${version} and the packages that package.json names …`);
  assertAvailable();
  const options = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status, stderr } = npm(['install', '--prefix', scratch, ...options, `${bunPackage}@${version}`]);
  if (status !== 0) fail(`${bunPackage} ${version} can't be installed:\n${stderr}`);
  installPackages(join(scratch, 'node_modules', bunPackage, 'bin/bun'));
}

function installPackages(bun) {
  const install = how => run(bun, ['install', '--frozen-lockfile', how, ...platforms()], 'pipe');
  const offline = install('--offline');
  if (offline.status === 0) return;
  if (!offline.stderr.includes('is not in the cache')) fail(offline.stderr);
  assertAvailable();
  const { status, stderr } = install('--prefer-offline');
  if (status !== 0) fail(`The packages can't be installed:\n${stderr}`);
}

/** To build for the other kind of processor, its packages are needed beside those of this one. */
function platforms() {
  return process.env.TARGET ? ['--cpu=*', '--os=linux'] : [];
}

/** Downloads may take long, so that npm and Bun wait for minutes: whether there is anything to wait for is asked first. */
function assertAvailable() {
  const { status, stderr } = npm(['view', `${bunPackage}@${version}`, 'version', `--fetch-timeout=${PROBE_MS}`]);
  if (status === 0) return;
  const reason = /(?:error|ERR!) code (\w+)/.exec(stderr)?.[1] ?? 'no answer';
  fail(
    `Bun ${version} and the packages of bun.lock are neither installed nor cached here, and the npm registry can't be asked for them (${reason}).\n` +
      'Connect this machine to the network, name a registry or proxy that it can reach (npm config set registry or proxy), or copy\n' +
      'node_modules/ and dist/ from a checkout of the same version where "npm start" has worked.',
  );
}

function linkBun() {
  const link = join(root, 'node_modules/.bin/bun');
  const target = join('..', bunPackage, 'bin/bun');
  try {
    if (readlinkSync(link) === target) return;
  } catch {
    // There is none.
  }
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(target, link);
}

function npm(args) {
  return run('npm', [...args, '--prefer-offline', '--fetch-retries=0', '--loglevel=error'], 'pipe');
}

function run(program, args, output = 'inherit') {
  const result = spawnSync(program, args, { cwd: root, stdio: ['ignore', output, output], encoding: 'utf8' });
  if (result.error) fail(`${program} can't be run: ${result.error.message}`);
  return result;
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function fail(message) {
  console.error(message.trim());
  process.exit(1);
}
