import { isHttps, localUrlOf, servesPages, takesRecords } from '../config/listener.ts';
import type { Config } from '../config/settings.ts';
import type { ServedAddress } from '../web/addresses.ts';
import { curlLine } from './curl-line.ts';

/** Where to go next, once the server serves at these places. */
export function welcomeText(
  { http, collector: { tids } }: Config,
  places: ServedAddress[],
  firstLink?: string,
): string {
  const ours = http.public_url?.replace(/\/$/, '');
  const pages = ours ?? places.find(({ listener }) => servesPages(listener))?.url;
  const collector = places.find(({ listener }) => takesRecords(listener));
  return `${firstLink ? `  First account         ${firstLink}   (works once, within a day)\n` : ''}\
  Look at the records   ${pages ?? '(no listener serves pages)'}/telemetryui
  Connect machines      ${pages ?? ''}/telemetryui/connect

Post a record yourself:

${curlLine(collector ? fromHere(collector, ours) : '', tids[0]!.id)}
`;
}

/** For a line that is run on this host. A certificate is for a name; what serves no TLS is reached as it is. */
function fromHere({ listener, url }: ServedAddress, ours: string | undefined): string {
  if ('unix' in listener) return `--unix-socket ${listener.unix} http://localhost`;
  return isHttps(listener) ? (ours ?? url) : localUrlOf(listener, Number(new URL(url).port || 80));
}
