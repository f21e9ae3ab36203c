/** Where the core's WebAssembly comes from, and what is said when it can't be had. */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { WasmSource } from '../src/wasm.js';

const bytes = await readFile(new URL('../generated/wasmqtt_bg.wasm', import.meta.url));
let server: Server;
let origin: string;
beforeAll(async () => {
  server = createServer(({ url }, response) => {
    if (url === '/right.wasm') response.setHeader('content-type', 'application/wasm').end(bytes);
    else if (url === '/typeless.wasm') response.setHeader('content-type', 'text/plain').end(bytes);
    else if (url === '/broken.wasm') response.setHeader('content-type', 'application/wasm').end(bytes.subarray(0, 999));
    else if (url === '/index.wasm') response.setHeader('content-type', 'text/html').end('<!doctype html>');
    else response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>not here</h1>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  vi.resetModules();
});

/** Loads into a copy of the package that has no core yet. */
const load = async (source?: WasmSource) => (await import('../src/wasm.js')).loadCore(source);

test.each<[string, () => WasmSource | Promise<WasmSource>]>([
  ['a URL', () => new URL('/right.wasm', origin)],
  ['an address', () => `${origin}/right.wasm`],
  ['an address whose server does not know the type', () => `${origin}/typeless.wasm`],
  ['a promised Response', () => fetch(`${origin}/right.wasm`) as never],
  ['a Response without a type', () => new Response(bytes)],
  ['a view', () => bytes],
  ['a buffer', () => new Uint8Array(bytes).buffer],
  ['a module', () => WebAssembly.compile(bytes) as never],
])('%s is fine', async (_, source) => {
  await load(await source());
});

test.each<[string, RegExp]>([
  ['/missing.wasm', /^wasmqtt: http:\S+\/missing\.wasm answered 404 Not Found \(text\/html\)$/],
  ['/index.wasm', /^wasmqtt: http:\S+\/index\.wasm, which came as text\/html, is no WebAssembly; it looks like text, /],
  ['/broken.wasm', /^wasmqtt: http:\S+\/broken\.wasm, which came as application\/wasm, is no WebAssembly: /],
])('%s is no core: the URL is named, and what the server answered', async (path, message) => {
  await expect(load(`${origin}${path}`)).rejects.toThrow(message);
});

test('a server that is not there is named, and another try may have more luck', async () => {
  const { loadCore } = await import('../src/wasm.js');
  await expect(loadCore('http://127.0.0.1:1/x.wasm')).rejects.toThrow(
    /^wasmqtt: http:\/\/127.0.0.1:1\/x.wasm can't be/,
  );
  await loadCore(bytes);
});

test('a policy that forbids WebAssembly is not the fault of the bytes', async () => {
  const compile = vi.spyOn(WebAssembly, 'compile').mockRejectedValue(new WebAssembly.CompileError('blocked by CSP'));
  try {
    await expect(load(bytes)).rejects.toThrow(
      /^wasmqtt: these bytes must not be compiled here; .*'wasm-unsafe-eval'\? CompileError: blocked by CSP$/,
    );
  } finally {
    compile.mockRestore();
  }
});

test('another program is not the core', async () => {
  // An empty module.
  const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  await expect(load(empty)).rejects.toThrow(/^wasmqtt: these bytes are WebAssembly, but not the core of this version/);
});

test.each([7, {}, null])('%s is no source', async (source) => {
  await expect(load(source as never)).rejects.toThrow(/^wasm: /);
  await expect(load(source as never)).rejects.toBeInstanceOf(TypeError);
});

test('no function of the core returns a bare reference, at which the V8 of Node 20 may die', async () => {
  const glue = await readFile(new URL('../generated/wasmqtt.d.ts', import.meta.url), 'utf8');
  const functions = glue.match(/^ *readonly \w+: \(.*\) => .*;$/gm) ?? [];
  expect(functions.length).toBeGreaterThan(20);
  // See `Returned` in crates/web.
  expect(functions.filter((line) => line.endsWith('=> any;'))).toEqual([]);
});
