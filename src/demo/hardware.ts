import { OTHER_MODELS, type Row, X86_MODELS } from './models.ts';

/** A kind of machine as its firmware describes it. */
export interface Platform {
  share: number;
  arch: string;
  hostType: string;
  boardName: string;
  cpuModels: readonly string[];
  biosVersions: readonly string[];
  /** As a kernel names the machine in its reports. */
  hardware: string;
  /** As mcelog names its processor. */
  processor: string;
  /** Throws most of the thermal events. */
  hot: boolean;
  virtual: boolean;
  /** Its processors are of AMD. */
  amd: boolean;
  /** The same in the words of clients that cut every value at its first space. */
  cut: Platform | null;
}

const AMD = /\b(AMD|Ryzen|EPYC)\b/;
const VIRTUAL = /^(QEMU|VMware|Microsoft|Amazon|innotek|no_sv_file)/;

/** Every kind of machine in the sample fleet. */
export function platforms(): Platform[] {
  return [['x86_64', X86_MODELS] as const, ...OTHER_MODELS].flatMap(([arch, rows]) =>
    rows.map(row => platform(arch, row)),
  );
}

function platform(arch: string, [share, hostType, boardName, cpuModels, biosVersions, hot]: Row): Platform {
  const [vendor, product] = hostType.split('|') as [string, string];
  const hardware = `${vendor} ${product}/${boardName.split('|')[0]}`;
  const whole: Platform = {
    share,
    arch,
    hostType,
    boardName,
    cpuModels,
    biosVersions,
    hardware,
    amd: AMD.test(cpuModels[0]!),
    processor: AMD.test(cpuModels[0]!) ? 'AMD Family 25 Model 33 Step 2' : 'Intel Family 6 Model 106 Step 6',
    hot: hot === 'hot',
    virtual: VIRTUAL.test(hostType),
    cut: null,
  };
  if (beforeSpace(hostType).includes('|')) {
    whole.cut = {
      ...whole,
      hostType: beforeSpace(hostType),
      boardName: beforeSpace(boardName),
      cpuModels: cpuModels.map(beforeSpace),
      biosVersions: biosVersions.map(beforeSpace),
    };
  }
  return whole;
}

function beforeSpace(value: string): string {
  return value.split(' ', 1)[0]!;
}
