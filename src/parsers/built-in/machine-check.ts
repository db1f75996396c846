import type { Parsed } from '../parser.ts';
import { known, labelled, wholeNumber } from './lines.ts';

/** The prefix of a line that went through syslog, the journal or dmesg: `2026-05-05T08:57:16+02:00 host mcelog: `. */
const LOG_PREFIX =
  /^(?:[^\n]{0,200}?\b(?:mcelog|rasdaemon|kernel)(?:\[[0-9]{1,10}\])?: +)?(?:<[0-9]{1,3}>)?(?:\[[^\]\n]{0,30}[0-9]\] *)?(?:mce: +)?(?:\[Hardware Error\]: *)?/gm;

/** Reads a machine check as mcelog or the kernel writes it; hexadecimal registers stay as written. */
export function parseMachineCheck(payload: string): Parsed {
  const found = labelled(payload.replaceAll(LOG_PREFIX, ''), {
    cpu: /^CPU[ :]?([0-9]{1,6})\b/m,
    bank: /^CPU[ :]?[0-9]{1,6}(?: BANK |: Machine Check[^\n]{0,60}? Bank |[^\n]{0,40}? MC)([0-9]{1,6})(?:\b|_)/m,
    event:
      /^CPU ?[0-9]{1,6}:? (THERMAL EVENT\b|(?:Core|Package) temperature(?:(?: is)? above threshold|\/speed normal))/m,
    status: /(?:^STATUS | Bank [0-9]{1,6}: |_STATUS\[[^\]\n]{0,200}\]: 0x)([0-9a-f]{1,16})\b/im,
    mcgstatus: /^(?:(?:[^\n]{0,100} )?MCGSTATUS |CPU [0-9]{1,6}: Machine Check(?: Exception)?: )([0-9a-f]{1,16})\b/im,
    mcgcap: /^MCGCAP ([0-9a-f]{1,16})\b/im,
    apicid: /\bAPIC(?:ID)? ([0-9a-f]{1,8})\b/i,
    socket: /\bSOCKET(?:ID)? ([0-9]{1,6})\b/,
    misc: /\bMISC ([0-9a-f]{1,16})\b/i,
    addr: /\bADDR ([0-9a-f]{1,16})\b/i,
    synd: /\bSYND ([0-9a-f]{1,16})\b/,
    ipid: /\bIPID ([0-9a-f]{1,16})\b/,
    mca: /^MCA: ([^\n]{1,200})$/m,
    memory_controller: /^EDAC MC([0-9]{1,4}): /m,
    dimm: /^EDAC MC[0-9]{1,4}: [0-9 ]{0,11}[CU]E [^\n]{0,100}? on ([^\n(]{1,100}?) \(/m,
    error_severity: /^event severity: (\w{1,20})/m,
    vendor: /^CPUID Vendor ([^\n]{1,100})$/m,
  });
  const { cpu, bank, socket, memory_controller, ...texts } = found;
  return known({
    cpu: wholeNumber(cpu),
    bank: wholeNumber(bank),
    socket: wholeNumber(socket),
    memory_controller: wholeNumber(memory_controller),
    ...texts,
  });
}
