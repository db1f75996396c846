import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import type { Listener } from './config/listener.ts';

/** Why nothing can listen at an address now, as an error code and its message; undefined if something can. */
export type AddressProblem = Pick<NodeJS.ErrnoException, 'code' | 'message'>;

/** Listens there for a moment. Ignores a socket that an earlier run left behind. */
export function tryAddress(listener: Listener): Promise<AddressProblem | undefined> {
  return 'unix' in listener ? trySocket(listener.unix) : tryPort(listener);
}

function tryPort({ host, port }: { host: string; port: number }): Promise<AddressProblem | undefined> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

async function trySocket(path: string): Promise<AddressProblem | undefined> {
  const taken = (message: string) => ({ code: 'EADDRINUSE', message });
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
    if (!existsSync(path)) return undefined;
    if (!statSync(path).isSocket()) return taken('a file that is no socket is there');
    return (await takesConnections(path)) ? taken('something else listens there') : undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

function takesConnections(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
