import type { Config } from '../config/settings.ts';
import { isCutOff, RequestError } from '../errors.ts';
import type { Fleet } from '../fleets.ts';
import type { Peer } from '../http/peer.ts';
import type { Collector, CollectorAnswer } from './collector.ts';
import type { Undecoded } from './content-encoding.ts';
import type { TurnedAway } from './turned-away.ts';

/** What becomes of a request that brings a record. */
export type Answer = CollectorAnswer | TurnedAway | Undecoded;

/** Who may send: by the limits of their TID, and where their fleet needs one by their certificate. */
export interface Gate {
  turnAway(fleet: Fleet, peer: Peer): TurnedAway | undefined;
  /** The answer of `take`, unless the request is turned away. What became of it is counted. */
  pass(fleet: Fleet, peer: Peer, take: () => Promise<Answer>): Promise<Answer>;
}

export function gateOf(collector: Collector, { tls }: Config): Gate {
  const certified = new Set(tls.client_cert_fleets);

  function turnAway(fleet: Fleet, peer: Peer): TurnedAway | undefined {
    const address = () => peer.address ?? null;
    const uncertified = certificateMissing(peer, fleet, certified);
    if (uncertified) collector.limits.report(fleet, uncertified, address);
    return uncertified ?? collector.limits.turnAway(fleet, address);
  }

  async function pass(fleet: Fleet, peer: Peer, take: () => Promise<Answer>): Promise<Answer> {
    let result = 'unavailable';
    try {
      const answer = turnAway(fleet, peer) ?? (await take());
      result = answer.kind === 'refused' && answer.kept ? 'quarantined' : answer.kind;
      return answer;
    } catch (error) {
      if (isCutOff(error)) result = 'cut off';
      if (error instanceof RequestError && error.status === 413) result = 'oversized';
      throw error;
    } finally {
      collector.metrics.received(fleet.name, result);
    }
  }

  return { turnAway, pass };
}

function certificateMissing(peer: Peer, { name }: Fleet, certified: Set<string>): TurnedAway | undefined {
  if (!certified.has(name)) return undefined;
  const { clientCertificate = 'this connection carries none' } = peer;
  if (clientCertificate === 'accepted') return undefined;
  const rule = 'must show a certificate signed by tls.client_ca (tls.client_cert_fleets)';
  return { kind: 'forbidden', message: `machines of the fleet ${JSON.stringify(name)} ${rule}: ${clientCertificate}` };
}
