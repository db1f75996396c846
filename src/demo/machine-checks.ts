/** A processor's or firmware's report about itself. */
export interface HardwareReport {
  classification: string;
  severity: 1 | 2 | 3 | 4;
  text: string;
}

const IDENTITY = 'CPUID Vendor {processor}\n';

/** Reports of the kinds `corrected`, `SRAO`, `SRAR`, `UCNA` and `thermal`, as mcelog writes them. */
export function machineChecks(): Record<'corrected' | 'SRAO' | 'SRAR' | 'UCNA' | 'thermal', HardwareReport[]> {
  const memory = 'MCA: MEMORY CONTROLLER RD_CHANNEL{number+3}_ERR\nTransaction: Memory read error\n';
  const cache =
    'MCA: corrected filtering (some unreported errors in same region)\nGeneric CACHE Level-2 Generic Error\n';
  const scrub = 'MCA: MEMORY CONTROLLER MS_CHANNEL{number+3}_ERR\nTransaction: Memory scrubbing error\n';
  const load = 'MCA: Data CACHE Level-0 Data-Read Error\n';
  return {
    corrected: [
      check('corrected', 1, 'Corrected error', memory, '8c0000{hex4}0100{number+9}{number+9}', '0'),
      check('corrected', 1, 'Corrected error\nError enabled', cache, '9020{hex4}0001{hex4}', '0'),
    ],
    SRAO: [check('SRAO', 3, 'Uncorrected error\nError enabled\nSRAO', scrub, 'bd000000001000c{number+9}', '5')],
    SRAR: [check('SRAR', 4, 'Uncorrected error\nError enabled\nSRAR', load, 'bd80000000100134', '7')],
    UCNA: [check('UCNA', 2, 'Uncorrected error\nUCNA', memory, 'ac00{hex4}0001009{number+9}', '0')],
    thermal: [
      thermal('Processor {cpu} heated above trip temperature. Throttling enabled.', '880003{number+99}'),
      thermal('Processor {cpu} below trip temperature. Throttling disabled', '880003{number+99}'),
    ],
  };
}

function check(
  kind: string,
  severity: 1 | 2 | 3 | 4,
  verdict: string,
  cause: string,
  status: string,
  mcgStatus: string,
): HardwareReport {
  const text = [
    'Hardware event. This is not a software error.\nMCE 0\n',
    'CPU {cpu} BANK {bank}\nMISC 200{hex8} ADDR {number+9}{hex8}\nTIME {time}\n',
    `MCG status:${mcgStatus === '0' ? '' : 'RIPV MCIP'}\nMCi status:\n${verdict}\n`,
    `MCi_MISC register valid\nMCi_ADDR register valid\n${cause}`,
    `STATUS ${status} MCGSTATUS ${mcgStatus}\nMCGCAP f000c14 APICID {cpu} SOCKETID 0\n${IDENTITY}`,
  ].join('');
  return { classification: `org.clearlinux/mce/${kind}`, severity, text };
}

function thermal(message: string, status: string): HardwareReport {
  const text = [
    `Hardware event. This is not a software error.\nMCE 0\nCPU {cpu} THERMAL EVENT TSC {hex8}{hex4}\nTIME {time}\n`,
    `${message}\nSTATUS ${status} MCGSTATUS 0\nMCGCAP c0a APICID {cpu} SOCKETID 0\n${IDENTITY}`,
  ].join('');
  return { classification: 'org.clearlinux/mce/thermal', severity: 1, text };
}

/** Errors that the firmware kept through a reboot. */
export function bootErrors(): HardwareReport[] {
  const sections = [
    ['fatal', '81212a96-09ed-4996-9471-8d729c8e69ed', '0xc10', 3],
    ['fatal', '8f3a1b70-4c55-4d7e-a2d9-60b5c31e8f42', '0x290', 2],
    ['recoverable', 'a5bc1114-6f64-4ede-b863-3e83ed7c83b1', '0x50', 1],
  ] as const;
  return sections.map(([severity, type, length, words]) => {
    const error = '[Hardware Error]:';
    const dump = Array.from(
      { length: words },
      (_, word) => `${error}   000000${word}0: {hex8} {hex8} 0000000{number+9} {hex8}  ................\n`,
    );
    const text = [
      `Crash Report:\nReason: BERT: Error records from previous boot:\n${error} event severity: ${severity}\n`,
      `${error}  Error 0, type: ${severity}\n${error}   section type: unknown, ${type}\n`,
      `${error}   section length: ${length}\n${dump.join('')}`,
    ].join('');
    return { classification: 'org.clearlinux/bert/debug', severity: 2 as const, text };
  });
}
