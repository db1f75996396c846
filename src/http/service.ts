import type { Peer } from './peer.ts';

/** What a listener serves. */
export interface Service {
  /** Answers requests that post a record, if this listener takes records. */
  records: RecordService | undefined;
  /** Answers any request, including records posted in an unusual form. */
  fetch(request: Request, peer: Peer): Response | Promise<Response>;
}

export interface RecordService {
  isPath(path: string): boolean;
  /** Never rejects. */
  answer(request: RecordRequest): Promise<RecordAnswer>;
}

/** A request that posts a record. */
export interface RecordRequest {
  path: string;
  peer: Peer;
  /** By name in lower case; values of a repeated header are joined. */
  headers: Readonly<Record<string, string>>;
  /**
   * Resolves to the whole body. Call it before any await: bytes that come earlier are not kept. Rejects with a
   * RequestError if the body comes too late or finds no room, and with an AbortError if the client leaves.
   */
  body(): Promise<Uint8Array>;
}

export interface RecordAnswer {
  status: number;
  json: object;
  headers?: Record<string, string>;
}
