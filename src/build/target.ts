const ARCHITECTURES = ['x64', 'arm64'];

/** The kind of processor to build for: named by the variable TARGET, or this machine's. */
export function targetArchitecture(): string {
  const target = process.env.TARGET || process.arch;
  if (ARCHITECTURES.includes(target)) return target;
  console.error(`TARGET: got "${target}", expected ${ARCHITECTURES.join(' or ')}`);
  process.exit(1);
}
