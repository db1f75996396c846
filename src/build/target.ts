const ARCHITECTURES = ['x64', 'arm64'];

/** The kind of processor to build for: that of this machine, or the one that the variable TARGET names. */
export function targetArchitecture(): string {
  const target = process.env.TARGET || process.arch;
  if (ARCHITECTURES.includes(target)) return target;
  console.error(`TARGET: got "${target}", expected ${ARCHITECTURES.join(' or ')}`);
  process.exit(1);
}
