/**
 * Pages in the system's Chromium for tests that need a browser. `openPage('clients')` bundles `pages/clients.ts`,
 * serves it with the core's WebAssembly from a port of its own and opens it; what the page exports with
 * `Object.assign(globalThis, { ... })` is called with `page.evaluate`. Browsers, servers and profiles end with their
 * test file. `withContext` gives several pages one profile: they share workers, locks and storage as tabs do.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll } from 'vitest';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const ends: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--js-flags=--expose-gc',
];

/** Files of a site: path to type and content. */
export type Files = Map<string, { type: string; body: string | Uint8Array }>;

/** Serves files on a port of its own; gives the origin. */
export async function serve(files: Files, headers: Record<string, string> = {}): Promise<string> {
  const server: Server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://here').pathname;
    const file = files.get(path);
    if (file === undefined) response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>not here</h1>');
    else response.writeHead(200, { 'content-type': file.type, ...headers }).end(file.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}`;
}

/** Bundles pages and workers of `pages/`; each page is there as `/NAME.html`, its code as `/NAME.js`. */
export async function bundle(...names: string[]): Promise<Files> {
  const built = await build({
    entryPoints: names.map((name) => here(`pages/${name}.ts`)),
    bundle: true,
    format: 'esm',
    write: false,
    outdir: '/',
    target: 'es2022',
    loader: { '.wasm': 'file' },
    define: { 'process.env.NODE_ENV': '"test"', global: 'globalThis' },
    logLevel: 'warning',
  });
  const files: Files = new Map([['/favicon.ico', { type: 'image/x-icon', body: '' }]]);
  for (const { path, contents } of built.outputFiles) {
    files.set(`/${path.split('/').at(-1)}`, { type: 'text/javascript', body: contents });
  }
  for (const name of names) {
    const body = `<!doctype html><meta charset="utf-8"><title>${name}</title><script type="module" src="/${name}.js"></script>`;
    files.set(`/${name}.html`, { type: 'text/html', body });
  }
  const wasm = await readFile(here('../../generated/wasmqtt_bg.wasm'));
  files.set('/wasmqtt.wasm', { type: 'application/wasm', body: wasm });
  return files;
}

/** A browser profile of its own: pages in it are tabs of one browser. */
export async function withContext(): Promise<BrowserContext> {
  const profile = await mkdtemp(join(tmpdir(), 'wasmqtt-chromium-'));
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const context = await chromium.launchPersistentContext(profile, { executablePath, args: FLAGS, headless: true });
  ends.push(async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  });
  return context;
}

/** Opens a page; an error that it does not catch fails the test that looks at `errors`. */
export async function openPage(context: BrowserContext, url: string): Promise<Page & { errors: Error[] }> {
  const page = await context.newPage();
  const errors: Error[] = [];
  page.on('pageerror', (error) => errors.push(error));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(new Error(message.text()));
  });
  await page.goto(url);
  return Object.assign(page, { errors });
}
