/** Stores in a real browser: what survives a page's death, who may open one, and the origin private file system. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Site } from './site.js';

let site: Site;
beforeAll(async () => {
  site = await Site.open('storage');
}, 60_000);
afterAll(() => site?.close());

const run =
  (page: Page, where: 'call' | 'inWorker') =>
  (name: string, ...args: unknown[]) =>
    page.evaluate(
      ([where, name, args]) =>
        (globalThis as unknown as Record<string, (...all: unknown[]) => unknown>)[where]?.(name, args),
      [where, name, args] as const,
    );

test('IndexedDB: what was complete is there after the page was reloaded or crashed', async () => {
  const page = await site.page('storage');
  const call = run(page, 'call');
  expect(await call('open', 'idb:reload', { durability: 'strict' })).toEqual([]);
  await call('append', 'idb:reload', 1, 11);
  await page.reload();
  await page.waitForFunction(() => 'ready' in globalThis);
  expect(await call('open', 'idb:reload')).toEqual([11]);
  await call('append', 'idb:reload', 2, 12);
  await site.crash(page);
  const next = await site.page('storage');
  expect(await run(next, 'call')('open', 'idb:reload', { wait: true })).toEqual([11, 12]);
  await next.close();
}, 60_000);

test('a second tab is told to share; one that waits gets the store when the first is closed', async () => {
  const [one, two] = [await site.page('storage'), await site.page('storage')];
  const [first, second] = [run(one, 'call'), run(two, 'call')];
  await first('open', 'idb:tabs');
  await first('append', 'idb:tabs', 1, 21);
  expect(await second('open', 'idb:tabs')).toMatch(/^busy: .*SharedBroker/);
  expect(await second('destroy', 'idb:tabs')).toMatch(/^busy: /);
  const waiting = second('open', 'idb:tabs', { wait: true });
  await one.close();
  expect(await waiting).toEqual([21]);
  await second('close', 'idb:tabs');
  expect(await second('destroy', 'idb:tabs')).toBe(undefined);
  expect(await second('open', 'idb:tabs')).toEqual([]);
  await two.close();
}, 60_000);

test('a worker and its page exclude each other, too', async () => {
  const page = await site.page('storage');
  await run(page, 'inWorker')('open', 'idb:worker');
  expect(await run(page, 'call')('open', 'idb:worker')).toMatch(/^busy: /);
  await page.evaluate(() => (globalThis as unknown as { killWorker(): void }).killWorker());
  expect(await run(page, 'call')('open', 'idb:worker', { wait: true })).toEqual([]);
  await page.close();
}, 60_000);

test('the origin private file system: appended, replaced, and there after a crash', async () => {
  const page = await site.page('storage');
  const call = run(page, 'inWorker');
  expect(await run(page, 'call')('open', 'opfs:files')).toMatch(/^unavailable: .*dedicated worker.*'idb:files'/);
  expect(await call('open', 'opfs:files', { durability: 'strict' })).toEqual([]);
  await call('append', 'opfs:files', 1, 31);
  await call('append', 'opfs:files', 2, 32);
  await site.crash(page);
  const next = await site.page('storage');
  const again = run(next, 'inWorker');
  expect(await again('open', 'opfs:files', { wait: true })).toEqual([31, 32]);
  await again('replace', 'opfs:files', [33]);
  await again('append', 'opfs:files', 2, 34);
  await again('close', 'opfs:files');
  expect(await again('open', 'opfs:files')).toEqual([33, 34]);
  await again('close', 'opfs:files');
  expect(await again('destroy', 'opfs:files')).toBe(undefined);
  expect(await again('open', 'opfs:files')).toEqual([]);
  await next.close();
}, 60_000);
