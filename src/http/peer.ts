import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { plainAddress } from '../config/network.ts';

/** The other end of a connection. */
export interface Peer {
  /** Undefined for unix sockets. */
  readonly address?: string | null;
  /** 'accepted' if it showed a certificate of tls.client_ca, or else the reason why not. Absent without TLS. */
  readonly clientCertificate?: string;
}

/**
 * The address given to a client that has left: an absent address would pass for a unix socket, which may be a trusted
 * proxy.
 */
const PEER_GONE = '0.0.0.0';

/** `kind` says how the connection came. Values are looked up only when asked for, since few requests need them. */
export function peerOf(socket: Socket, kind: 'plain' | 'tls' | 'unix'): Peer {
  if (kind === 'unix') return {};
  const address = {
    get address() {
      return plainAddress(socket.remoteAddress ?? PEER_GONE);
    },
  };
  if (kind === 'plain') return address;
  return Object.defineProperty(address, 'clientCertificate', { get: () => certificateOf(socket as TLSSocket) });
}

function certificateOf(socket: TLSSocket): string {
  if (socket.authorized) return 'accepted';
  const shown = Object.keys(socket.getPeerCertificate() ?? {}).length > 0;
  return shown ? `the one shown is not accepted (${socket.authorizationError})` : 'none was shown';
}
