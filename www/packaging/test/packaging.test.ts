/**
 * The packed package wherever it is used: each built example in Chromium and in Firefox, in Node, and what is said where
 * it can't work.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createServer } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Engine, openChromium, openFirefox } from './engines.js';
import { type Origin, openCdn, openSite } from './origins.js';
import { bundle, EXAMPLES, HAS_NODES, install, node, run, WWW } from './pack.js';

const HELLO = /^home\/kitchen: hello$/;
const SHARED = /^shared-worker, home\/kitchen: hello$/;

let tarball: string;
let cdn: Origin;
let site: Origin;
beforeAll(async () => {
  tarball = await install();
  await bundle();
  cdn = await openCdn();
  site = await openSite(cdn);
});
afterAll(async () => {
  await site?.close();
  await cdn?.close();
});

test('it is packed with its licenses, its types and nothing that only the build needs', async () => {
  const files = (await run('tar', 'tzf', tarball)).trim().split('\n');
  const wanted = [
    'LICENSE-APACHE',
    'LICENSE-MIT',
    'README.md',
    'package.json',
    'dist/wasmqtt.wasm',
    'dist/src/index.d.ts',
  ];
  expect(files).toEqual(expect.arrayContaining(wanted.map((file) => `package/${file}`)));
  expect(files.filter((file) => /\/\.|test|node_modules|tsconfig/.test(file) && !/\/testing\./.test(file))).toEqual([]);
});

test('publint and attw have nothing to say about it', async () => {
  await run('publint', tarball, '--strict');
  // An address, not a module.
  await run('attw', tarball, '--profile', 'esm-only', '--exclude-entrypoints', 'wasmqtt.wasm', '--no-color');
});

describe.each([
  ['Chromium', openChromium],
  ['Firefox', openFirefox],
] as const)('in %s', (_, open) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await open();
  });
  afterAll(() => engine?.close());

  test.each([
    ['/vite/hello.html', HELLO],
    ['/vite/shared.html', SHARED],
    ['/vite/worker.html', HELLO],
    ['/vite/frame.html', HELLO],
    ['/webpack/hello.html', HELLO],
    ['/webpack/shared.html', SHARED],
    ['/webpack/worker.html', HELLO],
    ['/esbuild/hello.html', HELLO],
    ['/esbuild/shared.html', SHARED],
    ['/esbuild/worker.html', HELLO],
    ['/esbuild/asset.html', HELLO],
    ['/script/hello.html', HELLO],
    ['/script/shared.html', SHARED],
    ['/script/inline.html', HELLO],
    ['/cdn/hello.html', HELLO],
    ['/cdn/shared.html', SHARED],
  ])('%s works', async (path, wanted) => {
    const { text, errors } = await engine.visit(site.url + path, wanted);
    expect(errors).toEqual([]);
    expect(text).toMatch(wanted);
  });

  test('from another origin, without a worker of its own: a tab is elected, and says why', async () => {
    const { text } = await engine.visit(`${site.url}/cdn/no-worker.html`, /hello$/);
    expect(text).toMatch(/^tab \(shared-worker: the worker did not start \(.+\)\), home\/kitchen: hello$/);
  });

  const refused = async (path: string) => {
    const wasm = encodeURIComponent(`${cdn.url}${path}`);
    return (await engine.visit(`${site.url}/cdn/refused.html?${wasm}`, /./)).text.replace(cdn.url, '');
  };

  test('what is said of a server that is not there, or that lets no other origin read', async () => {
    expect(await refused('/closed/wasmqtt@0.1.0/dist/wasmqtt.wasm')).toMatch(
      /^Error: wasmqtt: \/closed\/wasmqtt@0\.1\.0\/dist\/wasmqtt\.wasm can't be fetched .*another origin.*CORS.*: TypeError: /,
    );
  });

  test('what is said of a file that is not there', async () => {
    expect(await refused('/wasmqtt@0.1.0/dist/other.wasm')).toBe(
      'Error: wasmqtt: /wasmqtt@0.1.0/dist/other.wasm answered 404 Not Found (text/plain)',
    );
  });

  test('a server that does not know the type of WebAssembly is good enough', async () => {
    expect(await refused('/typeless/wasmqtt@0.1.0/dist/wasmqtt.wasm')).toBe('it works');
  });

  test('13: a policy that forbids WebAssembly is named', async () => {
    const { errors } = await engine.visit(`${site.url}/forbidden/hello.html`, /never/);
    expect(errors.join('\n')).toMatch(
      /assets\/wasmqtt-\S+\.wasm, which came as application\/wasm, must not be compiled here.*'wasm-unsafe-eval'/,
    );
  });
});

test('the development server of Vite, which bundles packages beforehand', async () => {
  const server = await createServer({ configFile: join(EXAMPLES, 'vite/vite.config.js'), logLevel: 'error' });
  const chromium = await openChromium();
  try {
    await server.listen(0);
    const url = server.resolvedUrls?.local[0];
    for (const [page, wanted] of Object.entries({ hello: HELLO, shared: SHARED, worker: HELLO })) {
      expect((await chromium.visit(`${url}${page}.html`, wanted)).text).toMatch(wanted);
    }
  } finally {
    await chromium.close();
    await server.close();
  }
});

describe.each([
  ['this Node', async () => process.execPath, true],
  ['Node 24', () => node('24.21.0'), HAS_NODES],
])('in %s', (_, find, isThere) => {
  const scripts = ['hello.js', 'listen.js', 'inline.js', 'testing.js', 'required.cjs'];
  test.runIf(isThere).each(scripts)('%s', async (script) => {
    expect(await run(await find(), join('node', script))).toBe('home/kitchen: hello\n');
  });
});

test('Vitest runs the recipe', async () => {
  expect(await run('vitest', 'run', '--root', 'vitest')).toMatch(/Tests +2 passed/);
});

test('13: what a strict policy needs stands in the README, and its code does without the rest', async () => {
  const readme = await readFile(join(WWW, 'wasmqtt/README.md'), 'utf8');
  // The built examples run under this very line.
  const [policy = ''] = /^Content-Security-Policy: .*$/m.exec(readme) ?? [];
  expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
  expect(policy).not.toMatch(/blob:|data:|'unsafe-eval'|'unsafe-inline'/);
  // Without it MQTT.js takes its timers from a worker that it makes of a `blob:`.
  const pages = [...readme.matchAll(/<!-- examples\/app\/\S+ -->\n```js\n(.*?)```\n/gs)].map(([, code = '']) => code);
  const clients = pages.filter((code) => code.includes('mqtt.connect'));
  expect(clients.length).toBeGreaterThan(3);
  for (const code of clients) expect(code).toContain("timerVariant: 'native'");
});

test("the README's code is that of the examples", async () => {
  const readme = await readFile(join(WWW, 'wasmqtt/README.md'), 'utf8');
  const named = [...readme.matchAll(/<!-- examples\/(\S+) -->\n```js\n(.*?)```\n/gs)];
  expect(named.length).toBeGreaterThan(5);
  for (const [, file = '', code] of named) {
    const example = await readFile(join(EXAMPLES, file), 'utf8');
    expect(code, file).toBe(example);
  }
});
