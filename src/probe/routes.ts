import { type Context, Hono } from 'hono';
import type { Config } from '../config/settings.ts';
import { RequestError } from '../errors.ts';
import { baseOfRequest } from '../web/base.ts';
import { configuration, installer, PROBE_FILES } from './files.ts';

const SCRIPT = 'text/x-shellscript; charset=utf-8';
const PATHS = ['/:tid', '/:tid/:file'];
const ALLOWED = 'GET, HEAD';
const CONFIGURATION = 'telemetricsd-probe.conf';

/**
 * `GET /:tid` is the installer of the probe for machines of this TID, `GET /:tid/FILE` one of its parts: `telemetricsd-probe.sh`,
 * `.service`, `.timer`, `.conf`. Machines and people ask for it before they have an account, so a TID is all that is needed; one that
 * is unknown is 404, and never repeated.
 */
export function probeRoutes(config: Config) {
  return new Hono()
    .get('/:tid', c => {
      const tid = knownTid(config, c.req.param('tid'));
      return c.body(installer(serverFor(config, c), tid), 200, {
        ...noStore(SCRIPT),
        'Content-Disposition': 'inline; filename="install-telemetricsd-probe.sh"',
      });
    })
    .get('/:tid/:file', c => {
      const tid = knownTid(config, c.req.param('tid'));
      const name = c.req.param('file');
      if (name === CONFIGURATION)
        return c.body(configuration(serverFor(config, c), tid), 200, noStore('text/plain; charset=utf-8'));
      const text = PROBE_FILES.get(name);
      if (text === undefined)
        throw new RequestError(404, `the probe has the files ${[...PROBE_FILES.keys(), CONFIGURATION].join(', ')}`);
      return c.body(text, 200, noStore(name.endsWith('.sh') ? SCRIPT : 'text/plain; charset=utf-8'));
    })
    .on('OPTIONS', PATHS, c => c.body(null, 204, { Allow: `${ALLOWED}, OPTIONS` }))
    .on('ALL', PATHS, c =>
      c.json({ message: `${c.req.method} is not for this address: GET it` }, 405, { Allow: ALLOWED }),
    );
}

/** As it is configured, so that nothing that came from outside gets into a script. */
function knownTid({ collector }: Config, asked: string): string {
  const tid = collector.tids.find(({ id }) => id === asked.toLowerCase());
  if (!tid) throw new RequestError(404, 'this TID is unknown here: see Connect machines for the right address');
  return tid.id;
}

function serverFor(config: Config, c: Context): string {
  const base = baseOfRequest(config, c);
  if (base === undefined)
    throw new RequestError(400, 'Host: expected a plain name or address; http.public_url is to say which');
  return base;
}

function noStore(type: string) {
  return { 'Content-Type': type, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };
}
