/**
 * Two origins: the site of somebody who uses the package, under the Content-Security-Policy of the package's README, and
 * a CDN that has its files. `https://cdn.example` in the files of the site becomes the address of that.
 */
import { readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { EXAMPLES, WWW } from './pack.js';

const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** The policy that the README says is enough. */
const POLICY = /^Content-Security-Policy: (.*)$/m.exec(readFileSync(join(WWW, 'wasmqtt/README.md'), 'utf8'))?.[1];

/** What an origin answers to a path; `undefined`: 404. */
type Answer = { content: Buffer | string; status?: number; headers?: Record<string, string> } | undefined;

function read(path: string): Buffer | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path) : undefined;
}

/** A file of a package, as installed here or in the workspace above. */
function ofPackage(path: string): Buffer | undefined {
  return read(join(EXAMPLES, 'node_modules', path)) ?? read(join(WWW, 'node_modules', path));
}

/** A server on a port that the system chose. */
export class Origin {
  readonly url: string;
  #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async open(answer: (path: string) => Answer): Promise<Origin> {
    const server = createServer((request: IncomingMessage, response: ServerResponse) => {
      const path = normalize(new URL(request.url ?? '/', 'http://here').pathname);
      const answered = path === '/favicon.ico' ? { content: '' } : answer(path);
      const type = { 'content-type': TYPES[extname(path)] ?? 'text/plain' };
      response.writeHead(answered?.status ?? (answered ? 200 : 404), { ...type, ...answered?.headers });
      response.end(answered?.content);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Origin(server);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/**
 * A CDN: `/wasmqtt@VERSION/...` and `/mqtt@VERSION/...`, for everybody; below `/closed` the same without CORS, below
 * `/typeless` the same as `text/plain`.
 */
export function openCdn(): Promise<Origin> {
  return Origin.open((path) => {
    const [, kind = '', name, rest] = /^(\/closed|\/typeless)?\/(wasmqtt|mqtt)@[\d.]+\/(.*)$/.exec(path) ?? [];
    const content = name === undefined ? undefined : ofPackage(join(name, rest as string));
    const headers = {
      ...(kind !== '/closed' && { 'access-control-allow-origin': '*' }),
      ...((kind === '/typeless' || content === undefined) && { 'content-type': 'text/plain' }),
    };
    return content === undefined ? { content: 'there is no such file', status: 404, headers } : { content, headers };
  });
}

/** The site: what each bundler made under its name, with the policy; `script` and `cdn` as they are, without. */
export function openSite(cdn: Origin): Promise<Origin> {
  return Origin.open((path) => {
    const [, folder, rest] = /^\/(vite|webpack|esbuild|script|cdn|forbidden)\/(.*)$/.exec(path) ?? [];
    const module = /^\/node_modules\/(.*)$/.exec(path)?.[1];
    if (module !== undefined) {
      const content = ofPackage(module);
      return content && { content };
    }
    if (folder === undefined || rest === undefined) return undefined;
    if (folder === 'script' || folder === 'cdn') {
      const content = read(join(EXAMPLES, folder, rest))
        ?.toString()
        .replaceAll('https://cdn.example', cdn.url);
      return content === undefined ? undefined : { content };
    }
    // What forgets to allow WebAssembly.
    const policy = folder === 'forbidden' ? POLICY?.replace("'wasm-unsafe-eval'", '') : POLICY;
    const headers = { 'content-security-policy': policy ?? "default-src 'none'" };
    const built = folder === 'forbidden' ? 'vite' : folder;
    // Vite makes pages too; where the others do not, theirs are used as they are.
    const pages = rest.endsWith('.html') ? [join('app', rest), join(built, rest)] : [];
    const content = [join(built, 'dist', rest), ...pages].map((file) => read(join(EXAMPLES, file))).find(Boolean);
    return content && { content, headers };
  });
}
