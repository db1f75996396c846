/** What a probe reported, after validation; both wire formats become this. */
export interface Report {
  recordFormatVersion: 1 | 2 | 3 | 4;
  classification: string;
  /** 1 low, 2 medium, 3 high, 4 critical. */
  severity: 1 | 2 | 3 | 4;
  /** '' where ABRT did not say it: of such records it is not known how many machines they came from. */
  machineId: string;
  /** The machine's own clock, in Unix seconds. */
  capturedAt: number;
  arch: string;
  /** `sys_vendor|product_name|product_version`. */
  hostType: string;
  build: string;
  kernelVersion: string;
  /** Formats 2 to 4. */
  payloadFormatVersion: number | null;
  /** `''` if format 1 left it out. */
  systemName: string;
  /** Formats 3 and 4. */
  boardName: string | null;
  cpuModel: string | null;
  biosVersion: string | null;
  /** Format 4. */
  eventId: string | null;
  external: boolean;
  payload: string;
}

/**
 * How a record came: from the telemetrics client, with metadata in headers or all in JSON, from our own probe, or from
 * ABRT.
 */
export type WayIn = 'headers' | 'json' | 'probe' | 'abrt';

/** A stored record, as queries return it. */
export interface StoredRecord extends Report {
  id: number;
  /** The server's time when the record was committed. */
  receivedAt: Date;
  /** The name of the TID that the record came with. */
  fleet: string;
  /** The rules of privacy.scrub that changed the payload before it was stored; usually none. */
  scrubbedBy: string[];
  /** Null if it was imported from an old server. */
  wayIn: WayIn | null;
}
