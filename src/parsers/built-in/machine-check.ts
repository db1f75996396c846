import type { Parsed } from '../parser.ts';
import { known, labelled, wholeNumber } from './lines.ts';

/** A machine check in mcelog's words; hexadecimal registers stay as they were written. */
export function parseMachineCheck(payload: string): Parsed {
  const found = labelled(payload, {
    cpu: /^CPU ([0-9]{1,6})\b/m,
    bank: /^CPU [0-9]{1,6} BANK ([0-9]{1,6})\b/m,
    event: /^CPU [0-9]{1,6} (THERMAL EVENT)\b/m,
    status: /^STATUS ([0-9a-f]{1,16})\b/im,
    mcgstatus: /^(?:[^\n]{0,100} )?MCGSTATUS ([0-9a-f]{1,16})\b/im,
    mcgcap: /^MCGCAP ([0-9a-f]{1,16})\b/im,
    apicid: /\bAPICID ([0-9a-f]{1,8})\b/i,
    socket: /\bSOCKETID ([0-9]{1,6})\b/,
    misc: /\bMISC ([0-9a-f]{1,16})\b/i,
    addr: /\bADDR ([0-9a-f]{1,16})\b/i,
    mca: /^MCA: ([^\n]{1,200})$/m,
    vendor: /^CPUID Vendor ([^\n]{1,100})$/m,
  });
  const { cpu, bank, socket, ...texts } = found;
  return known({ cpu: wholeNumber(cpu), bank: wholeNumber(bank), socket: wholeNumber(socket), ...texts });
}
