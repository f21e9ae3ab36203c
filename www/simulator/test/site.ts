/** The built simulator, served on a port that the system chose, and a Chromium to visit it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const root = fileURLToPath(new URL('..', import.meta.url));
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

export class Site {
  readonly url: string;
  readonly browser: Browser;
  /** Where the built files are. */
  readonly folder: string;
  /** While true, nothing is answered: the network is gone. */
  offline = false;
  /** Pages of other origins, and sandboxed frames, which have none, may load what is here. */
  anyOrigin = true;
  /** The Content Security Policy that is sent with everything. */
  policy: string | undefined;
  readonly #server: Server;

  private constructor(url: string, folder: string, browser: Browser, server: Server) {
    this.url = url;
    this.folder = folder;
    this.browser = browser;
    this.#server = server;
  }

  /** Builds the simulator into `dist` and serves it below a path, as it has to work wherever it is put. */
  static async open(): Promise<Site> {
    // In a process of its own: this one says to be a test, and then a build is another one.
    const vite = fileURLToPath(new URL('../../node_modules/vite/bin/vite.js', import.meta.url));
    const { NODE_ENV: _, ...env } = process.env;
    const { status, stderr } = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'error'], { cwd: root, env });
    if (status !== 0) throw new Error(`the build failed: ${stderr}`);
    return Site.serve(join(root, 'dist'));
  }

  static async serve(folder: string): Promise<Site> {
    const pages = new Map<string, string>();
    let site: Site | undefined;
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://site');
      if (site?.offline) {
        response.destroy();
        return;
      }
      if (pages.has(pathname)) {
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(pages.get(pathname));
        return;
      }
      const below = pathname.startsWith('/some/where/') ? pathname.slice('/some/where/'.length) : undefined;
      const file = below === undefined ? undefined : normalize(join(folder, below === '' ? 'index.html' : below));
      if (!file?.startsWith(folder) || !existsSync(file)) {
        response.writeHead(404).end();
        return;
      }
      if (site?.policy) response.setHeader('content-security-policy', site.policy);
      const type = types[extname(file)] ?? 'text/plain';
      response.writeHead(200, {
        'content-type': type,
        'content-encoding': 'gzip',
        'cache-control': 'no-cache',
        ...(site?.anyOrigin && { 'access-control-allow-origin': '*' }),
      });
      response.end(gzipSync(readFileSync(file)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    });
    site = new Site(`http://127.0.0.1:${port}/some/where/`, folder, browser, server);
    site.#pages = pages;
    return site;
  }

  #pages = new Map<string, string>();

  /** A page of somebody else on the same server. Gives its address. */
  host(path: string, html: string): string {
    this.#pages.set(path, html);
    return new URL(path, this.url).href;
  }

  async context(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    return this.browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  }

  /** Opens the simulator at a fragment in a context of its own. What goes wrong in it is collected in `errors`. */
  async page(fragment = '', options: BrowserContextOptions & { search?: string } = {}): Promise<Visit> {
    const { search = '', ...rest } = options;
    const context = await this.context({ locale: 'en-US', ...rest });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await page.goto(`${this.url}${search}${fragment}`);
    return Object.assign(page, { errors });
  }

  async close(): Promise<void> {
    await this.browser.close();
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }
}

export type Visit = Page & { errors: string[] };
