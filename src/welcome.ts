import { type Listener, servesPages, takesRecords } from './config/listener.ts';
import type { Config } from './config/settings.ts';
import { curlLine } from './curl-line.ts';

/** A listener and its URL: `http://127.0.0.1:8080`, or the path of a unix socket. */
interface Place {
  listener: Listener;
  url: string;
}

/** Where to go next, once the server serves at these places. */
export function welcomeText({ http, collector: { tids } }: Config, places: Place[], firstLink?: string): string {
  const ours = http.public_url?.replace(/\/$/, '');
  const pages = ours ?? places.find(({ listener }) => servesPages(listener))?.url;
  const direct = places.find(({ listener }) => takesRecords(listener))?.url ?? '';
  // A certificate is for the public name; what serves no TLS is reached as it is.
  const collector = direct.startsWith('https:') ? (ours ?? direct) : direct;
  return `${firstLink ? `  First account         ${firstLink}   (works once, within a day)\n` : ''}\
  Look at the records   ${pages ?? '(no listener serves pages)'}/telemetryui
  Connect machines      ${pages ?? ''}/telemetryui/connect

Post a record yourself:

${curlLine(collector.startsWith('unix:') ? 'http://localhost' : collector, tids[0]!.id)}
`;
}
