// What the page's figures are, in Node over the real Stage and in Chromium: `npm run bench --workspace wasmqtt-simulator`,
// after a build. 200 clients and 10,000 entries of log; the first lesson with a cold cache.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { initSync, Stage } from '../generated/stage.js';

const CLIENTS = 200;
const ENTRIES = 10_000;
const root = fileURLToPath(new URL('..', import.meta.url));

/** 199 sensors that publish with QoS 1 in turns, and one client that hears all of them. */
function crowd() {
  const clients = Array.from({ length: CLIENTS }, (_, n) => ({ id: `c${n}`, link: { latency_ms: 50 + (n % 7) * 20 } }));
  const script = [
    ...clients.map(({ id }) => [0, { do: 'connect', who: id }]),
    [1_000_000, { do: 'subscribe', who: 'c0', filter: 'home/#', qos: 1 }],
    ...Array.from({ length: 2000 }, (_, n) => [
      2_000_000 + n * 20_000,
      { do: 'publish', who: `c${1 + (n % (CLIENTS - 1))}`, topic: `home/room${n % 40}/t`, payload: String(n), qos: 1 },
    ]),
  ];
  return JSON.stringify({ v: 1, seed: 3, clients, script });
}

const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * q))];
const shown = (name, list, bound) =>
  console.log(
    `${name}: median ${quantile(list, 0.5).toFixed(1)} ms, 99 % ${quantile(list, 0.99).toFixed(1)} ms, most ${Math.max(...list).toFixed(1)} ms (at most ${bound} ms)`,
  );
const timed = (deed) => {
  const began = performance.now();
  deed();
  return performance.now() - began;
};

function stageFigures() {
  initSync({ module: readFileSync(join(root, 'generated/stage_bg.wasm')) });
  const stage = new Stage(crowd());
  const steps = [];
  for (;;) {
    let entries = 0;
    steps.push(
      timed(() => {
        stage.step();
        entries = JSON.parse(stage.playhead()).entries;
      }),
    );
    if (entries >= ENTRIES) break;
  }
  shown(`step with ${CLIENTS} clients, up to ${ENTRIES} entries`, steps, 16);
  let seed = 1;
  const places = Array.from({ length: 60 }, () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % ENTRIES;
  });
  shown(
    'rewind to anywhere',
    places.map((n) => timed(() => stage.seek(n))),
    50,
  );
  console.log(`keyframes: ${(stage.keyframeBytes() / (1 << 20)).toFixed(1)} MiB (at most 64)`);
  stage.free();
}

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm', '.svg': 'image/svg+xml' };

async function pageFigures() {
  const files = new Map();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site');
    const name = pathname === '/' ? 'index.html' : pathname.slice(1);
    try {
      if (!files.has(name)) files.set(name, gzipSync(readFileSync(join(root, 'dist', name))));
      response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'text/plain', 'content-encoding': 'gzip' });
      response.end(files.get(name));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${server.address().port}/`;
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  const starts = [];
  for (let n = 0; n < 7; n += 1) {
    const context = await browser.newContext({ locale: n % 2 === 0 ? 'en' : 'ko', serviceWorkers: 'block' });
    const page = await context.newPage();
    await page.addInitScript(() => {
      const look = () => {
        const root = document.querySelector('wasmqtt-sim')?.shadowRoot;
        if (root?.querySelector('.button-action') && root.querySelector('.map-client')) {
          globalThis.interactive = performance.now();
        } else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
    await page.goto(`${address}#/lesson/first-message`);
    await page.waitForFunction(() => globalThis.interactive !== undefined);
    starts.push(await page.evaluate(() => globalThis.interactive));
    await context.close();
  }
  shown('first lesson can be used, cold cache', starts.slice(1), 1000);
  await browser.close();
  server.close();
}

stageFigures();
await pageFigures();
