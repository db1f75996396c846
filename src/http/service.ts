import type { Peer } from './peer.ts';

/** What a listener serves. */
export interface Service {
  /** Answers the requests that post a record, where it takes some. */
  records: RecordService | undefined;
  /** Answers any request, those among them that post a record in an unusual form. */
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
  /** By name in lower case; the values of one that came twice are joined. */
  headers: Readonly<Record<string, string>>;
  /**
   * The whole body, once it has come. To be called before anything is awaited: what comes meanwhile is not kept. Rejects with a
   * RequestError where it does not come in time or there is no room for it, with an AbortError where the client leaves.
   */
  body(): Promise<Uint8Array>;
}

export interface RecordAnswer {
  status: number;
  json: object;
  headers?: Record<string, string>;
}
