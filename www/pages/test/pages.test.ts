/**
 * The site in a real Chromium: each example does what its text says. `cargo xtask test` names the server program that
 * has the site inside (`WASMQTT_SERVER`); by hand it is built and served here, under the policy that the program sends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const SITE = at('../dist/');
const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};
const FLAGS =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
const waiting = { timeout: 20_000 };

/** The policy of the server program, from its source: a text that goes on over lines that end with `\`. */
function policy(): string {
  const source = readFileSync(at('../../../host/src/site.rs'), 'utf8');
  const [, text] = /const POLICY: &str = "(.*?)";/s.exec(source) ?? [];
  if (text === undefined) throw new Error('host/src/site.rs has no POLICY');
  return text.replace(/\\\n\s*/g, '');
}

const AXE = readFileSync(at('../../node_modules/axe-core/axe.min.js'), 'utf8');

let end: () => Promise<unknown>;
let browser: Browser;
let context: BrowserContext;
let url: string;
let errors: string[];

/** Starts the server program on ports that the system chose; gives the address of its page. */
async function serveByProgram(program: string): Promise<string> {
  const arguments_ = ['serve', '--listen', 'tcp://127.0.0.1:0', '--site', '127.0.0.1:0'];
  const child: ChildProcess = spawn(program, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  end = () => {
    child.kill('SIGTERM');
    return ended;
  };
  let greeting = '';
  for await (const piece of child.stdout ?? []) {
    greeting += piece;
    const [, address] = /^ {2}(http:\S+\/)simulator\/ /m.exec(greeting) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error(`${program} did not say where its page is, but: ${greeting}`);
}

async function serveHere(): Promise<string> {
  await build({ configFile: at('../vite.config.ts'), build: { outDir: SITE }, logLevel: 'error' });
  const headers = { 'content-security-policy': policy(), 'x-content-type-options': 'nosniff' };
  const server: Server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://here').pathname);
    const file = join(SITE, path.endsWith('/') ? `${path}index.html` : path);
    const isThere = statSync(file, { throwIfNoEntry: false })?.isFile() === true;
    response.writeHead(isThere ? 200 : 404, { 'content-type': TYPES[extname(file)] ?? 'text/plain', ...headers });
    response.end(isThere ? readFileSync(file) : undefined);
  });
  end = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(SITE, { recursive: true, force: true });
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

beforeAll(async () => {
  const program = process.env.WASMQTT_SERVER;
  url = program === undefined ? await serveHere() : await serveByProgram(program);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: FLAGS.split(' '),
  });
});
afterAll(async () => {
  await browser?.close();
  await end?.();
});
beforeEach(async () => {
  context = await browser.newContext({ reducedMotion: 'reduce' });
  errors = [];
});
afterEach(async () => {
  await context.close();
  expect(errors).toEqual([]);
});

async function open(path: string): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(url + path);
  return page;
}

const ready = (page: Page) => page.waitForFunction(() => document.documentElement.dataset.ready === '');

async function examples(): Promise<Page> {
  const page = await open('examples/');
  await ready(page);
  return page;
}

/** Clicks on what loads the page anew, and waits until it is there again. */
async function reload(page: Page, selector: string): Promise<void> {
  await page.evaluate(() => delete document.documentElement.dataset.ready);
  await page.click(selector);
  await ready(page);
}

/** What axe objects to, and whether the page is wider than its window. */
async function objections(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    interface Violation {
      id: string;
      nodes: { target: unknown[]; failureSummary: string }[];
    }
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    const { violations } = await axe.run();
    const { scrollWidth, clientWidth } = document.documentElement;
    return [
      ...violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`)),
      ...(scrollWidth > clientWidth ? [`it is ${scrollWidth} px wide in a window of ${clientWidth} px`] : []),
    ];
  });
}

const texts = (page: Page, selector: string) => page.locator(selector).allTextContents();
const eventually = (look: () => Promise<unknown>) => expect.poll(look, waiting);

test('the first page leads to the examples, and to the simulator where there is one', async () => {
  const page = await open('');
  const there = statSync(at('../../simulator/package.json'), { throwIfNoEntry: false }) !== undefined;
  const links = await page.locator('.doors a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
  expect(links).toEqual(there ? ['./examples/', './simulator/'] : ['./examples/']);
  await page.click('.doors a[href="./examples/"]');
  await eventually(() => page.title()).toBe('wasmqtt: examples');
  await ready(page);
});

test('an unplugged phone finds what was published with QoS 1 meanwhile, and not what was with QoS 0', async () => {
  const page = await examples();
  const publish = async (payload: string, qos: string) => {
    await page.fill('#kitchen [name=payload]', payload);
    await page.selectOption('#kitchen [name=qos]', qos);
    await page.click('#kitchen button');
    await eventually(() => texts(page, '.log .decision')).toContainEqual(expect.stringContaining('kitchen published'));
    await page.click('[data-clear]');
  };
  const messages = () => texts(page, '.messages li');
  await publish('20', '0');
  await eventually(messages).toEqual(['20 home/kitchen/temperature QoS 0']);
  await page.click('[data-plug]');
  await publish('21', '1');
  await publish('22', '0');
  await publish('23', '2');
  expect(await messages()).toHaveLength(1);
  await page.click('[data-plug]');
  await eventually(messages).toEqual([
    '20 home/kitchen/temperature QoS 0',
    '21 home/kitchen/temperature QoS 1',
    '23 home/kitchen/temperature QoS 2',
  ]);
});

test('the log shows packets with their bytes', async () => {
  const page = await examples();
  await page.fill('#kitchen [name=topic]', 'a/b');
  await page.fill('#kitchen [name=payload]', 'hi');
  await page.selectOption('#kitchen [name=qos]', '0');
  await page.click('#kitchen button');
  const published = page.locator('.log .client', { hasText: 'PUBLISH' });
  await published.locator('summary').click();
  // PUBLISH, QoS 0, 7 bytes: the topic with its length, the payload.
  expect(await published.locator('pre').textContent()).toBe('30 07 00 03 61 2f 62 68 69');
  await eventually(() => texts(page, '.log .not')).toEqual(
    expect.arrayContaining(['not for phone: no match (home/#)']),
  );
});

test('a moment that was kept can be returned to', async () => {
  const page = await examples();
  const session = () => page.locator('[data-session]').textContent();
  await page.click('[data-knock]');
  await eventually(session).toBe('The Session of the guest is kept for 60 more minutes; 1 knock waits.');
  await page.click('[data-save]');
  await page.click('[data-wait="10"]');
  await eventually(session).toBe('The Session of the guest is kept for 50 more minutes; 1 knock waits.');
  await page.click('[data-wait="60"]');
  await eventually(session).toBe('The Session of the guest has ended, and its knocks with it.');
  await page.click('.moments button');
  await eventually(session).toBe('The Session of the guest is kept for 60 more minutes; 1 knock waits.');
  expect(await page.locator('[data-clock]').textContent()).toBe('2026-01-01 00:00');
});

test('two tabs share a broker and a lamp; the Will of a closed one takes it off the list', async () => {
  const first = await examples();
  await eventually(() => texts(first, '.tabs li')).toHaveLength(1);
  expect(await first.locator('[data-mode]').textContent()).toBe('in a SharedWorker');
  const second = await examples();
  await eventually(() => texts(first, '.tabs li')).toHaveLength(2);
  await eventually(() => texts(second, '.tabs li')).toHaveLength(2);
  await first.locator('[name=brightness]').fill('75');
  await eventually(() => second.locator('#tabs output').textContent()).toBe('75');
  // The storage is the first tab's, and the second one is told so.
  expect(await second.locator('#storage .wrong').textContent()).toMatch(
    /'idb:examples' is open in another .*SharedBroker/,
  );
  await second.close();
  await eventually(() => texts(first, '.tabs li')).toHaveLength(1);
});

test('notes are there after a reload, until they are forgotten', async () => {
  const page = await examples();
  const notes = () => texts(page, '.notes li');
  expect(await notes()).toEqual(['nothing yet']);
  await page.fill('#storage [name=text]', 'Feed the cat');
  await page.click('#storage button[type=submit]');
  await eventually(notes).toEqual(['Feed the cat']);
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#storage [data-save]')]);
  expect(download.suggestedFilename()).toBe('notes.wasmqtt');
  await reload(page, '[data-reload]');
  expect(await notes()).toEqual(['Feed the cat']);
  await reload(page, '[data-forget]');
  expect(await notes()).toEqual(['nothing yet']);
});

test('the code beside each example is JavaScript that can be copied', async () => {
  const page = await examples();
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const panels = await page.locator('.code').all();
  expect(panels).toHaveLength(5);
  for (const panel of panels) {
    await panel.locator('.copy').click();
    await eventually(() => panel.locator('.copy').textContent()).toBe('Copied');
    const code = await page.evaluate(() => navigator.clipboard.readText());
    expect(code).toBe(await panel.locator('code').textContent());
    expect(code).not.toContain('@type');
    await transform(code, { loader: 'js', format: 'esm' });
  }
});

describe.each([
  ['light', 360],
  ['dark', 1280],
  ['light', 1280],
  ['dark', 360],
] as const)('%s, %d px wide', (colorScheme, width) => {
  beforeEach(async () => {
    await context.close();
    context = await browser.newContext({ reducedMotion: 'reduce', colorScheme, viewport: { width, height: 800 } });
  });

  test('axe has no objection to the first page', async () => {
    expect(await objections(await open(''))).toEqual([]);
  });

  test('axe has no objection to the examples, used and unused', async () => {
    const page = await examples();
    expect(await objections(page)).toEqual([]);
    // As many as make the list scroll.
    for (let count = 1; count <= 6; count += 1) {
      await page.click('#kitchen button');
      await eventually(() => texts(page, '.messages li')).toHaveLength(count);
    }
    await page.locator('.log .client', { hasText: 'PUBLISH' }).first().locator('summary').click();
    await page.click('[data-save]');
    await page.click('#storage button[type=submit]');
    await eventually(() => texts(page, '.notes li')).toEqual(['Buy milk']);
    await page.fill('#phone [name=filter]', 'a/#/b');
    await page.click('#phone form button');
    await page.locator('#phone .wrong').waitFor();
    expect(await objections(page)).toEqual([]);
  });
});
