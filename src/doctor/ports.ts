import { type AddressProblem, tryAddress } from '../address-trial.ts';
import { isHttps, type Listener, localUrlOf } from '../config/listener.ts';
import type { Config } from '../config/settings.ts';
import type { Finding } from '../status/check.ts';

const ANSWER_MS = 2_000;

/** Checks that each address of http.listen is free, or that a telemetricsd answers there. */
export async function addresses({ http: { listen } }: Config): Promise<Finding[]> {
  return Promise.all(listen.map(look));
}

async function look(listener: Listener): Promise<Finding> {
  const { address } = listener;
  if ('port' in listener && listener.port === 0) return { level: 'ok', text: `${address} stands for any free port.` };
  if (await answersAlive(listener)) return { level: 'ok', text: `A telemetricsd answers at ${address}.` };
  const problem = await tryAddress(listener);
  return problem ? taken(address, problem) : { level: 'ok', text: `${address} is free.` };
}

async function answersAlive(listener: Listener): Promise<boolean> {
  const base = 'unix' in listener ? 'http://localhost' : localUrlOf(listener);
  try {
    const answer = await fetch(`${base}/healthz`, {
      ...('unix' in listener && { unix: listener.unix }),
      // The certificate has its own check.
      ...('host' in listener && isHttps(listener) && { tls: { rejectUnauthorized: false } }),
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return answer.ok && (await answer.text()) === 'alive\n';
  } catch {
    return false;
  }
}

function taken(address: string, { code, message }: AddressProblem): Finding {
  if (code === 'EADDRINUSE') {
    const remedy = 'Stop that program ("ss -ltnp" names it), or choose another address in http.listen.';
    return { level: 'error', text: `Something else listens at ${address}.`, remedy };
  }
  if (code === 'EACCES') {
    const remedy = 'The service may (AmbientCapabilities=CAP_NET_BIND_SERVICE in its unit); run doctor as root to see.';
    return { level: 'warning', text: `This user may not listen at ${address}.`, remedy };
  }
  const remedy = 'Correct http.listen: this host must have the address.';
  return { level: 'error', text: `Nothing can listen at ${address}: ${message}.`, remedy };
}
