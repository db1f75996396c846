import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { isHttps, type Listener, urlOf } from '../config/listener.ts';
import type { Config } from '../config/settings.ts';
import type { Finding } from '../status/check.ts';

const ANSWER_MS = 2_000;

/** Each address of http.listen is free, or a telemetricsd answers there. */
export async function addresses({ http: { listen } }: Config): Promise<Finding[]> {
  return Promise.all(listen.map(look));
}

async function look(listener: Listener): Promise<Finding> {
  const { address } = listener;
  if ('port' in listener && listener.port === 0) return { level: 'ok', text: `${address} stands for any free port.` };
  if (await answersAlive(listener)) return { level: 'ok', text: `A telemetricsd answers at ${address}.` };
  if ('unix' in listener)
    return existsSync(listener.unix) ? leftover(listener.unix) : { level: 'ok', text: `${address} is free.` };
  const problem = await whyNotFree(listener);
  return problem ?? { level: 'ok', text: `${address} is free.` };
}

function leftover(path: string): Finding {
  return { level: 'ok', text: `${path} is there, and nothing answers: the next start replaces it if it is a socket.` };
}

async function answersAlive(listener: Listener): Promise<boolean> {
  const base = 'unix' in listener ? 'http://localhost' : urlOf(listener);
  try {
    const answer = await fetch(`${base}/healthz`, {
      ...('unix' in listener && { unix: listener.unix }),
      // Whose certificate it is, is another line.
      ...('host' in listener && isHttps(listener) && { tls: { rejectUnauthorized: false } }),
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return answer.ok && (await answer.text()) === 'alive\n';
  } catch {
    return false;
  }
}

/** Listens there for a moment. */
function whyNotFree({ host, port, address }: Extract<Listener, { host: string }>): Promise<Finding | undefined> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => resolve(taken(address, code, message)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function taken(address: string, code: string | undefined, message: string): Finding {
  if (code === 'EADDRINUSE') {
    const remedy = 'Stop that, or choose another address in http.listen. "ss -ltnp" names it.';
    return { level: 'error', text: `Something else listens at ${address}.`, remedy };
  }
  if (code === 'EACCES') {
    const remedy = 'The service may (AmbientCapabilities=CAP_NET_BIND_SERVICE in its unit); run doctor as root to see.';
    return { level: 'warning', text: `This user may not listen at ${address}.`, remedy };
  }
  const remedy = 'Correct http.listen: this host must have the address.';
  return { level: 'error', text: `Nothing can listen at ${address}: ${message}.`, remedy };
}
