import { statSync } from 'node:fs';
import type { Config } from '../config/settings.ts';
import type { Finding } from '../status/check.ts';
import { certificateFinding } from '../status/findings.ts';
import { certificateState } from '../tls/pair.ts';
import { OTHERS_READ } from './files.ts';
import type { ServerUser } from './server-user.ts';

/** Of the files as they are; the server may still use an earlier certificate. */
export function certificateFiles({ tls }: Config, user: ServerUser): Finding {
  const state = certificateState(tls);
  if (!state) return { level: 'ok', text: 'None is needed: no address of http.listen begins with https://.' };
  if (statSync(tls.key!).mode & OTHERS_READ)
    return { level: 'error', text: `Everyone may read the private key ${tls.key}.`, remedy: `chmod 640 ${tls.key}` };
  const unreadable = [tls.cert!, tls.key!].find(file => !user.mayRead(file));
  if (unreadable !== undefined) {
    const remedy = `chgrp telemetricsd ${unreadable}; chmod 640 ${unreadable} (with the group of the service), and let it enter the folders above.`;
    return { level: 'error', text: `${user.name} may not read ${unreadable}.`, remedy };
  }
  const { level, text, remedy } = certificateFinding({ notAfter: state.notAfter, refused: undefined }, new Date());
  return { level, text: `Certificate and key belong together, for ${state.names.join(', ')}. ${text}`, remedy };
}
