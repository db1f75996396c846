/** The types that telemetricsd offers to payload parsers. "telemetricsd parser init" writes this file and renews it. */
declare module 'telemetricsd/parser' {
  /** A record, as GET /api/records/ID writes it. Fields that a record format lacks are null. */
  export interface ParserRecord {
    id: number;
    /** `DOMAIN/PROBE/REST` */
    classification: string;
    /** As it came, except for what the rules in `scrubbed_by` removed. */
    payload: string;
    payload_format_version: number | null;
    payload_nul_bytes: number;
    record_format_version: number;
    scrubbed_by: string[];
    /** 1 low, 2 medium, 3 high, 4 critical. */
    severity: number;
    machine_id: string;
    system_name: string;
    build: string;
    kernel_version: string;
    arch: string;
    machine_type: string;
    board_name: string | null;
    cpu_model: string | null;
    bios_version: string | null;
    event_id: string | null;
    external: boolean;
    /** The name that collector.tids gives to the TID. */
    fleet: string;
    /** `2026-11-23 21:30:00 UTC`, by the machine's clock. */
    ts_capture: string;
    /** `2026-11-23 21:30:00 UTC`, by the server's clock. */
    ts_reception: string;
    /** How it arrived; null if it was imported from an old server. */
    way_in: 'headers' | 'json' | 'probe' | 'abrt' | null;
  }

  /** A parser's result: any JSON object up to 64 KB, with keys of 1 to 64 characters. */
  export type Parsed = { [key: string]: unknown } | null | undefined;
}
