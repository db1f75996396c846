/** A model of computer, and how many of a thousand or so machines are of it. */
export type Row = [
  share: number,
  hostType: string,
  boardName: string,
  cpuModels: string[],
  biosVersions: string[],
  hot?: 'hot',
];

/** PCs and servers. */
export const X86_MODELS: Row[] = [
  [
    90,
    'Dell Inc.|PowerEdge R750|Not Specified',
    '0PJ80M|Dell Inc.',
    ['Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz', 'Intel(R) Xeon(R) Silver 4314 CPU @ 2.40GHz'],
    ['1.14.2', '1.15.1', '1.17.2'],
  ],
  [55, 'Dell Inc.|PowerEdge R6525|Not Specified', '0GK70M|Dell Inc.', ['AMD EPYC 7543 32-Core Processor'], ['2.12.4']],
  [
    60,
    'HPE|ProLiant DL380 Gen10|Not Specified',
    'ProLiant DL380 Gen10|HPE',
    ['Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz', 'Intel(R) Xeon(R) Gold 5218 CPU @ 2.30GHz'],
    ['U30', 'U30 v2.84 (2023/07/20)'],
  ],
  [
    45,
    'Supermicro|SYS-6029P-TRT|0123456789',
    'X11DPi-NT|Supermicro',
    ['Intel(R) Xeon(R) Silver 4210 CPU @ 2.20GHz'],
    ['3.3', '3.8a'],
  ],
  [
    85,
    'LENOVO|20XW0026GE|ThinkPad X1 Carbon Gen 9',
    '20XW0026GE|LENOVO',
    ['11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz', '11th Gen Intel(R) Core(TM) i5-1135G7 @ 2.40GHz'],
    ['N32ET75W (1.51 )', 'N32ET86W (1.62 )'],
    'hot',
  ],
  [
    60,
    'LENOVO|21AH00BSMH|ThinkPad T14 Gen 3',
    '21AH00BSMH|LENOVO',
    ['12th Gen Intel(R) Core(TM) i7-1260P'],
    ['N3MET12W (1.11 )', 'N3MET17W (1.16 )'],
    'hot',
  ],
  [
    70,
    'Dell Inc.|XPS 13 9310|Not Specified',
    '0MRT12|Dell Inc.',
    ['11th Gen Intel(R) Core(TM) i7-1185G7 @ 3.00GHz'],
    ['3.11.0', '3.20.0'],
    'hot',
  ],
  [
    50,
    'HP|HP EliteBook 845 G8 Notebook PC|SBKPF,SBKPFV2',
    '8895|HP',
    ['AMD Ryzen 7 PRO 5850U with Radeon Graphics'],
    ['T82 Ver. 01.14.00'],
  ],
  [
    70,
    'Intel(R) Client Systems|NUC11PAHi7|M15513-307',
    'NUC11PABi7|Intel Corporation',
    ['11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz'],
    ['PATGL357.0042.2022.0504.1501', 'PATGL357.0054.2024.0124.1020'],
  ],
  [
    40,
    'Intel Corporation|NUC7i5BNK|J31159-303',
    'NUC7i5BNB|Intel Corporation',
    ['Intel(R) Core(TM) i5-7260U CPU @ 2.20GHz'],
    ['BNKBL357.86A.0088.2022.0125.1102'],
    'hot',
  ],
  [
    35,
    'ASUS|System Product Name|System Version',
    'ROG STRIX B550-F GAMING|ASUSTeK COMPUTER INC.',
    ['AMD Ryzen 9 5900X 12-Core Processor', 'AMD Ryzen 7 5800X3D 8-Core Processor'],
    ['2803', '3607'],
  ],
  [
    30,
    'Gigabyte Technology Co., Ltd.|X570 AORUS ELITE|-CF',
    'X570 AORUS ELITE|Gigabyte Technology Co., Ltd.',
    ['AMD Ryzen 9 3950X 16-Core Processor'],
    ['F37', 'F39b (12/05/2024)'],
  ],
  [
    25,
    'Micro-Star International Co., Ltd.|MS-7D25|1.0',
    'PRO Z690-A DDR4(MS-7D25)|Micro-Star International Co., Ltd.',
    ['12th Gen Intel(R) Core(TM) i9-12900K', '13th Gen Intel(R) Core(TM) i7-13700K'],
    ['1.90', 'H.B0'],
  ],
  [
    30,
    'To Be Filled By O.E.M.|To Be Filled By O.E.M.|To Be Filled By O.E.M.',
    'B450M Pro4|ASRock',
    ['AMD Ryzen 5 3600 6-Core Processor'],
    ['P5.90'],
  ],
  [
    20,
    'System manufacturer|System Product Name|System Version',
    'P8Z77-V LX|ASUSTeK COMPUTER INC.',
    ['Intel(R) Core(TM) i5-3570K CPU @ 3.40GHz'],
    ['2501'],
  ],
  [
    15,
    'Apple Inc.|MacBookPro11,1|1.0',
    'Mac-189A3D4F975D5FFC|Apple Inc.',
    ['Intel(R) Core(TM) i5-4278U CPU'],
    ['432.60.3'],
  ],
  [
    80,
    'QEMU|Standard PC (Q35 + ICH9, 2009)|pc-q35-9.2',
    'no_bn_file|no_bv_file',
    ['Intel Xeon Processor (Skylake, IBRS)', 'AMD EPYC-Rome Processor', 'QEMU Virtual CPU version 2.5+'],
    ['edk2-20241117-5.fc41', 'rel-1.16.3-0-ga6ed6b701f0a-prebuilt.qemu.org'],
  ],
  [
    35,
    'VMware, Inc.|VMware Virtual Platform|None',
    '440BX Desktop Reference Platform|Intel Corporation',
    ['Intel(R) Xeon(R) CPU E5-2690 v4 @ 2.60GHz'],
    ['6.00', 'VMW71.00V.21100432.B64.2301110304'],
  ],
  [
    30,
    'Microsoft Corporation|Virtual Machine|Hyper-V UEFI Release v4.1',
    'Virtual Machine|Microsoft Corporation',
    ['Intel(R) Xeon(R) Platinum 8272CL CPU @ 2.60GHz', 'AMD EPYC 7763 64-Core Processor'],
    ['Hyper-V UEFI Release v4.1'],
  ],
  [35, 'Amazon EC2|m7i.xlarge|Not Specified', 'Not Specified|Amazon EC2', ['Intel(R) Xeon(R) Platinum 8488C'], ['1.0']],
  [15, 'innotek GmbH|VirtualBox|1.2', 'VirtualBox|Oracle Corporation', ['AMD Ryzen 7 5700G'], ['VirtualBox']],
  [20, 'no_sv_file|no_pn_file|no_pvr_file', 'no_bn_file|no_bv_file', ['AMD EPYC 7B13', 'AMD EPYC'], ['no_bv_file']],
];

/** Everything else. */
export const OTHER_MODELS: [arch: string, rows: Row[]][] = [
  [
    'aarch64',
    [
      [30, 'no_sv_file|no_pn_file|no_pvr_file', 'no_bn_file|no_bv_file', ['Cortex-A72', 'Cortex-A76'], ['no_bv_file']],
      [15, 'Amazon EC2|c7g.2xlarge|Not Specified', 'Not Specified|Amazon EC2', ['Neoverse-V1'], ['1.0']],
      [12, 'GIGABYTE|R152-P30-00|0100', 'MP32-AR2-00|GIGABYTE', ['Ampere(R) Altra(R) Processor'], ['F31n (SCP: 2.10)']],
    ],
  ],
  [
    'armv7l',
    [[4, 'no_sv_file|no_pn_file|no_pvr_file', 'no_bn_file|no_bv_file', ['ARMv7 Processor rev 3'], ['no_bv_file']]],
  ],
  [
    'ppc64le',
    [[3, 'IBM|8335-GTH|no_pvr_file', 'no_bn_file|no_bv_file', ['POWER9, altivec supported'], ['no_bv_file']]],
  ],
  ['s390x', [[2, 'IBM|8561 - T01|z15', 'no_bn_file|no_bv_file', ['IBM/S390'], ['no_bv_file']]]],
  [
    'riscv64',
    [[2, 'no_sv_file|no_pn_file|no_pvr_file', 'no_bn_file|no_bv_file', ['sifive,u74-mc'], ['2024.01-dirty']]],
  ],
  [
    'i686',
    [[5, 'IBM|2373CXG|ThinkPad T42', '2373CXG|IBM', ['Intel(R) Pentium(R) M processor 1.80GHz'], ['1RETDRWW (3.23 )']]],
  ],
];
