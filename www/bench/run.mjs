/**
 * Measures the figures that the npm package promises, in headless Chromium, and prints a table, whether each holds, and
 * JSON. `cargo xtask bench web` builds the package and runs this; a name runs one row: `... bench web ports`.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const here = fileURLToPath(new URL('.', import.meta.url));
const dist = join(here, '../wasmqtt/dist');
const FLAGS =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --enable-precise-memory-info --js-flags=--expose-gc';
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };
const MESSAGES = 50_000;
const CLIENTS = 10_000;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const rounded = (value, digits = 0) => value.toLocaleString('en', { maximumFractionDigits: digits });

async function bundle(entry, options) {
  const { outputFiles } = await build({
    entryPoints: [join(here, entry)],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    ...options,
  });
  return outputFiles[0].contents;
}

const page = await bundle('page.ts', { platform: 'browser', define: { global: 'globalThis' } });
const server = createServer(async ({ url }, response) => {
  const path = new URL(url, 'http://bench').pathname;
  const content = await (path === '/'
    ? '<!doctype html><title>bench</title><script type="module" src="/page.js"></script>'
    : path === '/page.js'
      ? page
      : readFile(join(dist, path.replace('/dist/', ''))).catch(() => undefined));
  response.writeHead(content === undefined ? 404 : 200, {
    'content-type': TYPES[extname(path) || '.html'] ?? 'text/plain',
  });
  response.end(content);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: FLAGS.split(' '),
});

/** Calls a function of `page.ts` in a page that nobody used before. */
async function inPage(name, ...parameters) {
  const context = await browser.newContext();
  const tab = await context.newPage();
  tab.on('pageerror', (error) => console.error(`page: ${error}`));
  await tab.goto(`http://127.0.0.1:${server.address().port}/`);
  await tab.waitForFunction(() => 'bench' in globalThis);
  const result = await tab.evaluate(([called, given]) => globalThis.bench[called](...given), [name, parameters]);
  await context.close();
  return result;
}

/** MQTT.js in this process against aedes in another, over TCP; messages a second. */
async function overTcp(count) {
  const folder = await mkdtemp(join(tmpdir(), 'wasmqtt-bench-'));
  const aedes = fork(join(here, 'aedes.mjs'));
  try {
    const [port] = await once(aedes, 'message');
    const script = join(folder, 'flood.mjs');
    await writeFile(script, await bundle('flood.ts', { platform: 'node' }));
    const { connected, flood } = await import(pathToFileURL(script));
    const { default: mqtt } = await import('mqtt');
    const open = () => connected(mqtt.connect(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, protocolVersion: 4 }));
    const [publisher, subscriber] = [await open(), await open()];
    const rate = await flood(publisher, subscriber, count);
    await Promise.all([publisher.endAsync(true), subscriber.endAsync(true)]);
    return rate;
  } finally {
    aedes.disconnect();
    await rm(folder, { recursive: true });
  }
}

const rows = {
  async size() {
    const files = JSON.parse(await readFile(join(dist, '.fetched.json'), 'utf8'));
    const sizes = await Promise.all(files.map((file) => readFile(join(dist, '..', file))));
    const bytes = sizes.reduce((sum, content) => sum + brotliCompressSync(content).length, 0);
    return [['scripts and WebAssembly, brotli', `${rounded(bytes)} B`, '<= 153,600 B', bytes <= 153_600, bytes]];
  },
  async ready() {
    const runs = [];
    for (let i = 0; i < 9; i += 1) runs.push(await inPage('ready'));
    const total = median(runs.map((run) => run.total));
    const after = median(runs.map((run) => run.afterFetch));
    return [
      ['fetched to first CONNACK, median of 9', `${rounded(after, 1)} ms`, '<= 50 ms', after <= 50, after],
      ['the same with fetching over loopback', `${rounded(total, 1)} ms`, '', undefined, total],
    ];
  },
  async ports() {
    const single = await inPage('ports', 1, 64);
    const ratio = median(single.map(({ broker, echo }) => broker / echo));
    const joined = await inPage('ports', 64, 1024);
    const rate = median(joined.map(({ broker }) => broker));
    const alone = await inPage('ports', 1, 1);
    const aloneRatio = median(alone.map(({ broker, echo }) => broker / echo));
    return [
      [
        'one packet a message, 64 under way, to an empty echo',
        `${rounded(ratio, 2)} x`,
        '>= 0.7 x',
        ratio >= 0.7,
        ratio,
      ],
      [
        '  messages/s',
        rounded(median(single.map(({ broker }) => broker))),
        '',
        undefined,
        median(single.map((r) => r.broker)),
      ],
      [
        '  messages/s, echo',
        rounded(median(single.map(({ echo }) => echo))),
        '',
        undefined,
        median(single.map((r) => r.echo)),
      ],
      ['one under way, to an empty echo', `${rounded(aloneRatio, 2)} x`, '', undefined, aloneRatio],
      ['64 packets a message, messages/s', rounded(rate), '>= 100,000', rate >= 100_000, rate],
    ];
  },
  async mqttjs() {
    const rounds = [];
    for (let i = 0; i < 5; i += 1) {
      rounds.push({
        tcp: await overTcp(MESSAGES),
        broker: await inPage('mqttjsBroker', MESSAGES),
        relay: await inPage('mqttjsRelay', MESSAGES),
      });
    }
    const ratio = median(rounds.map(({ broker, tcp }) => broker / tcp));
    const rate = (what) => median(rounds.map((round) => round[what]));
    return [
      ['MQTT.js on both sides, to aedes over TCP', `${rounded(ratio, 2)} x`, '>= 1.0 x', ratio >= 1, ratio],
      ['  messages/s in the page', rounded(rate('broker')), '', undefined, rate('broker')],
      ['  messages/s, aedes over TCP', rounded(rate('tcp')), '', undefined, rate('tcp')],
      ['  messages/s, a relay that does nothing', rounded(rate('relay')), '', undefined, rate('relay')],
    ];
  },
  async clients() {
    const { milliseconds, linear, heap } = await inPage('clients', CLIENTS);
    const time = `${rounded(milliseconds / 1000, 2)} s`;
    return [
      ['10,000 clients with a Subscription', time, '<= 2 s', milliseconds <= 2_000, milliseconds],
      ['  linear memory each', `${rounded(linear)} B`, '<= 3,072 B', linear <= 3_072, linear],
      ['  JS heap each', `${rounded(heap)} B`, '<= 3,072 B', heap <= 3_072, heap],
    ];
  },
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in rows));
let missed = 0;
if (unknown !== undefined) {
  console.error(`bench web: there is no row ${unknown}; there are ${Object.keys(rows).join(', ')}`);
  missed += 1;
} else {
  const figures = {};
  for (const name of wanted.length > 0 ? wanted : Object.keys(rows)) {
    for (const [what, value, bound, holds, figure] of await rows[name]()) {
      const verdict = holds === undefined ? '' : holds ? 'holds' : 'MISSED';
      missed += holds === false ? 1 : 0;
      console.log(`${what.padEnd(56)} ${value.padStart(12)}  ${bound.padEnd(14)} ${verdict}`);
      figures[`${name}: ${what.trim()}`] = { figure, bound: bound || undefined, holds };
    }
  }
  const file = join(here, '../../target/bench-web.json');
  await writeFile(file, `${JSON.stringify(figures, null, 2)}\n`);
  console.log(`figures in ${file}`);
}
await browser.close();
server.close();
process.exitCode = missed === 0 ? 0 : 1;
