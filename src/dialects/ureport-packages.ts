import type { Package } from './coredump-modules.ts';
import type { Ureport } from './ureport.ts';
import { objectOf, textOf } from './ureport-json.ts';

interface ReportedPackage extends Package {
  /** It is the one that the problem is in. */
  isAffected: boolean;
}

const MOST_PACKAGES = 300;
const MOST_NAME = 80;
const MOST_WORDS = 1_000;

/** The packages that a µReport names, that of the program and those of its libraries. A version is written as rpm writes it. */
export function packagesOf({ packages }: Ureport): ReportedPackage[] {
  return packages
    .slice(0, MOST_PACKAGES)
    .map(({ name, epoch, version, release, package_role: role }) => {
      const before = typeof epoch === 'number' && epoch > 0 ? `${epoch}:` : '';
      const after = textOf(release) === '' ? '' : `-${textOf(release)}`;
      return {
        name: textOf(name).slice(0, MOST_NAME),
        version: textOf(version) === '' ? null : `${before}${textOf(version)}${after}`.slice(0, MOST_NAME),
        isAffected: role === 'affected',
      };
    })
    .filter(({ name }) => name !== '');
}

/** What a µReport says of the problem in words; undefined where it doesn't. */
export function wordsOf({ problem, reason }: Ureport) {
  const word = (value: unknown) => textOf(value).slice(0, MOST_WORDS) || undefined;
  return {
    reason: word(reason),
    component: word(problem.component),
    exception: word(problem.exception_name ?? javaException(problem)),
  };
}

function javaException({ threads }: Ureport['problem']): unknown {
  const [thread] = Array.isArray(threads) ? threads : [];
  const { frames } = objectOf(thread);
  return Array.isArray(frames) ? frames.map(objectOf).find(frame => frame.is_exception === true)?.name : undefined;
}
