import { afterAll, beforeAll, expect, test } from 'bun:test';
import { getJson, send, TID } from '../app.ts';
import { type CrashApp, crashApp } from '../crashes/crash-app.ts';
import { asLibreportSends, CORE, JAVA, KERNELOOPS, PYTHON, RUBY, type Ureport } from '../dialects/data/ureports.ts';

let server: CrashApp;
beforeAll(async () => {
  server = await crashApp();
});
afterAll(() => server.close());

const python = (...frames: [module: string, name: string][]): Ureport => ({
  ...PYTHON,
  problem: {
    ...PYTHON.problem,
    stacktrace: frames.map(([file_name, function_name], n) => ({ file_name, file_line: n + 1, function_name })),
  },
});

test.each<[string, Ureport, string, string]>([
  ['core', CORE, 'Kettle::boil()', '/usr/bin/kettle'],
  ['kerneloops', KERNELOOPS, 'pot_fill', 'teapot'],
  ['python: not what its library does', PYTHON, 'steep()', '/usr/lib/python3/site-packages/brew/leaf.py'],
  [
    'python: a package that is called like a library',
    python(
      ['/usr/lib64/python3.13/threading.py', 'run'],
      ['<frozen importlib._bootstrap>', '_find_and_load'],
      ['/usr/lib/python3.13/site-packages/brew/json/leaf.py', 'load'],
      ['/usr/bin/brew', 'main'],
    ),
    'load()',
    '/usr/lib/python3/site-packages/brew/json/leaf.py',
  ],
  [
    'python 2',
    python(['/usr/lib64/python2.7/subprocess.py', '_execute_child'], ['/usr/sbin/brewd', 'serve']),
    'serve()',
    '/usr/sbin/brewd',
  ],
  ['java: not its virtual machine', JAVA, 'org.example.tea.Pot.lambda$fill$0()', 'Pot.java'],
  ['ruby: not its library', RUBY, 'warm?()', '/usr/share/gems/gems/tea/lib/tea.rb'],
])('%s', async (_, report, name, module) => {
  const { json } = await send(
    server.app,
    asLibreportSends(JSON.stringify(report)),
    undefined,
    `/abrt/${TID}/reports/new/`,
  );
  await server.analyse();
  const { json: found } = await getJson(server.app, '/api/records?limit=1');
  const { json: record } = await getJson(server.app, `/api/records/${found.records[0].id}`);
  expect(record.guilty).toMatchObject({ function: name, module });
  const [stack] = await server.sql<
    { hash: string }[]
  >`select replace(hash::text, '-', '') as hash from stacks where id = ${record.stack_id}`;
  expect(stack!.hash).toBe(json.bthash);
});
