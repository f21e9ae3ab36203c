/**
 * A web site for one test file, and a real Chromium to visit it: TypeScript files bundled by esbuild, served on a port
 * that the system chose. All pages are of one browser context, so that they share locks, channels, workers and storage.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const here = fileURLToPath(new URL('.', import.meta.url));
const types: Record<string, string> = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };
const flags =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

/** Files that are not bundled: the core, the built package, pages as they are. */
function onDisk(path: string): Buffer | undefined {
  if (path === '/wasmqtt.wasm') return readFileSync(join(here, '../../generated/wasmqtt_bg.wasm'));
  const file = path.startsWith('/dist/') ? join(here, '../..', path) : join(here, 'pages', `${path}.html`);
  return existsSync(file) ? readFileSync(file) : undefined;
}

function pageOf(path: string): string {
  return `<!doctype html><title>${path}</title><script type="module" src="${path}.js"></script>`;
}

/** A site that is being served, and the browser that visits it. */
export class Site {
  readonly url: string;
  readonly browser: Browser;
  readonly context: BrowserContext;
  #server: Server;

  private constructor(url: string, browser: Browser, context: BrowserContext, server: Server) {
    this.url = url;
    this.browser = browser;
    this.context = context;
    this.#server = server;
  }

  /** Serves these files of `pages`, bundled, each as NAME.js; `/NAME` is a page with nothing but that script. */
  static async open(...names: string[]): Promise<Site> {
    const built = await build({
      entryPoints: names.map((name) => join(here, 'pages', `${name}.ts`)),
      bundle: true,
      splitting: true,
      format: 'esm',
      outdir: '/',
      write: false,
      logLevel: 'error',
    });
    const files = new Map(built.outputFiles.map(({ path, contents }) => [path, contents]));
    const server = createServer((request, response) => {
      const path = new URL(request.url ?? '/', 'http://site').pathname;
      if (path === '/favicon.ico') {
        response.writeHead(204).end();
        return;
      }
      const content = files.get(path) ?? onDisk(path) ?? (files.has(`${path}.js`) ? pageOf(path) : undefined);
      response.writeHead(content === undefined ? 404 : 200, {
        'content-type': types[extname(path) || '.html'] ?? 'text/plain',
      });
      response.end(content);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags.split(' ') });
    const { port } = server.address() as AddressInfo;
    return new Site(`http://127.0.0.1:${port}`, browser, await browser.newContext(), server);
  }

  /** Opens a page and waits until its script has run. */
  async page(name: string): Promise<Page> {
    const page = await this.context.newPage();
    page.on('pageerror', (error) => console.error(`${name}: ${error.stack ?? error.message}`));
    page.on('console', (message) => message.type() === 'error' && console.error(`${name}: ${message.text()}`));
    await page.goto(`${this.url}/${name}`);
    await page.waitForFunction(() => (globalThis as { ready?: boolean }).ready === true);
    return page;
  }

  /** Kills the process of a page, as a browser does that runs out of memory; resolves when it is dead. */
  async crash(page: Page): Promise<void> {
    const session = await this.context.newCDPSession(page);
    const crashed = new Promise<void>((resolve) => page.once('crash', () => resolve()));
    session.send('Page.crash').catch(() => {});
    await crashed;
  }

  /** Kills a SharedWorker by the end of its URL; resolves when it is gone. */
  async killWorker(url: string): Promise<void> {
    const session = await this.browser.newBrowserCDPSession();
    const workers = async () => {
      const { targetInfos } = await session.send('Target.getTargets', { filter: [{ type: 'shared_worker' }] });
      return targetInfos.filter((target) => target.url.endsWith(url));
    };
    const targets = await workers();
    if (targets.length === 0) throw new Error(`there is no worker ${url}`);
    for (const { targetId } of targets) await session.send('Target.closeTarget', { targetId });
    await session.detach();
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
