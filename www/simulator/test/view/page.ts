// The Gallery in a real browser: bundled, served from a port that the system chose, opened in the system's Chromium.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';

const root = new URL('../../', import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.ico': 'image/x-icon',
};

async function filesOf(): Promise<ReadonlyMap<string, Uint8Array | string>> {
  const { outputFiles } = await build({
    absWorkingDir: root.pathname,
    entryPoints: { gallery: 'src/gallery/page.tsx', style: 'src/gallery/gallery.css' },
    outdir: '/',
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    charset: 'utf8',
    logLevel: 'error',
  });
  const bundled = new Map(outputFiles.map(({ path, text }) => [path.split('/').at(-1) ?? '', text]));
  execFileSync(process.execPath, ['gallery.mjs'], { cwd: root });
  const read = (path: string) => readFileSync(new URL(path, root));
  return new Map<string, Uint8Array | string>([
    ['/gallery.html', read('gallery.html')],
    ['/gallery.js', bundled.get('gallery.js') ?? ''],
    ['/gallery.css', bundled.get('style.css') ?? ''],
    ['/gallery.json', read('generated/gallery.json')],
    ['/stage_bg.wasm', read('generated/stage_bg.wasm')],
    ['/favicon.ico', ''],
  ]);
}

export interface Served {
  readonly address: string;
  readonly browser: Browser;
  close(): Promise<void>;
}

export async function served(): Promise<Served> {
  const files = await filesOf();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const body = files.get(pathname);
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': TYPES[extname(pathname)] ?? 'text/plain' });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/gallery.html`,
    browser,
    async close() {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
