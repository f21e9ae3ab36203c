/** A dozen tabs and one broker in a real Chromium: its host is closed and crashed while messages are under way. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Site } from './site.js';

interface State {
  mode: string;
  epoch: number;
  hosting: boolean;
  why: string | undefined;
}

const waiting = { timeout: 45_000, interval: 50 };

describe('one broker for many tabs', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.open('shared', 'shared-worker');
  }, 60_000);
  afterAll(() => site?.close());
  afterEach(async () => {
    for (const page of site.context.pages()) await page.close();
  });

  class Tab {
    page: Page;
    constructor(page: Page) {
      this.page = page;
    }
    call<T>(name: string, ...args: unknown[]): Promise<T> {
      return this.page.evaluate(
        ([name, args]) => (globalThis as unknown as { call(...all: unknown[]): unknown }).call(name, args),
        [name, args] as const,
      ) as Promise<T>;
    }
  }

  async function open(options: object, count: number): Promise<Tab[]> {
    const tabs: Tab[] = [];
    for (let n = 0; n < count; n += 1) tabs.push(new Tab(await site.page('shared')));
    await Promise.all(tabs.map((tab) => tab.call('connect', { worker: '/shared-worker.js', ...options })));
    return tabs;
  }

  const states = (tabs: Tab[]) => Promise.all(tabs.map((tab) => tab.call<State>('state')));

  /** All tabs publish and subscribe; `disturb` breaks something while they do and gives the tabs that are left. */
  async function endure(tabs: Tab[], disturb: (tabs: Tab[]) => Promise<Tab[]>): Promise<void> {
    await Promise.all(tabs.map((tab, n) => tab.call('client', `client-${n}`, ['seq/#'])));
    await Promise.all(
      tabs.map(async (tab, n) => {
        await tab.call('publish', `client-${n}`, `seq/1/${n}`, 1);
        await tab.call('publish', `client-${n}`, `seq/2/${n}`, 2);
      }),
    );
    const left = await disturb(tabs);
    const sent = Object.assign({}, ...(await Promise.all(left.map((tab) => tab.call<Record<string, number>>('stop')))));
    // Every publisher hears that its messages are kept.
    const acknowledged = async () =>
      Object.assign({}, ...(await Promise.all(left.map((tab) => tab.call<Record<string, number>>('acknowledged')))));
    await expect.poll(acknowledged, waiting).toEqual(sent);
    for (const tab of left)
      expect((await tab.call<string[]>('events')).filter((event) => !event.startsWith('moved'))).toEqual([]);
    for (const tab of left) {
      const heard = () => tab.call<Record<string, string[]>>('heard');
      const missing = async () => {
        const all = await heard();
        return Object.entries(sent).filter(([topic, last]) => {
          const got = new Set(all[topic]);
          for (let n = 1; n <= (last as number); n += 1) if (!got.has(String(n))) return true;
          return false;
        });
      };
      await expect.poll(missing, waiting).toEqual([]);
      for (const [topic, numbers] of Object.entries(await heard())) {
        // QoS 2: each once and in its order, those of dead publishers too.
        if (topic.startsWith('seq/2/'))
          expect(numbers.map(Number), topic).toEqual(numbers.map((_, index) => index + 1));
      }
    }
  }

  /** Waits until every tab has heard more than it had. */
  async function progress(tabs: Tab[], messages = 50): Promise<void> {
    for (const tab of tabs) {
      const count = async () =>
        Object.values(await tab.call<Record<string, string[]>>('heard')).reduce((sum, list) => sum + list.length, 0);
      const before = await count();
      await expect.poll(count, waiting).toBeGreaterThan(before + messages);
    }
  }

  async function moved(tabs: Tab[], epoch: number): Promise<void> {
    await expect
      .poll(async () => (await states(tabs)).map((state) => state.epoch), waiting)
      .toEqual(tabs.map(() => epoch));
  }

  test('12 tabs, elected: the host is closed, then the next one crashes; no message is lost, none of QoS 2 doubled', async () => {
    const tabs = await open({ name: 'elected', storage: 'idb:elected', prefer: 'tab' }, 12);
    const begun = await states(tabs);
    expect(begun.map((state) => state.mode)).toEqual(tabs.map(() => 'tab'));
    expect(begun.filter((state) => state.hosting)).toHaveLength(1);
    await endure(tabs, async (all) => {
      let left = all;
      for (const [round, kill] of [(tab: Tab) => tab.page.close(), (tab: Tab) => site.crash(tab.page)].entries()) {
        await progress(left);
        const hosting = (await states(left)).findIndex((state) => state.hosting);
        const host = left[hosting] as Tab;
        left = left.filter((tab) => tab !== host);
        await kill(host);
        await moved(left, round + 2);
        await progress(left);
      }
      return left;
    });
  }, 240_000);

  test('12 tabs, one SharedWorker: it is killed twice; no message is lost, none of QoS 2 doubled', async () => {
    const tabs = await open({ name: 'worker', storage: 'idb:worker' }, 12);
    const begun = await states(tabs);
    expect(begun.map((state) => `${state.mode} ${state.hosting}`)).toEqual(tabs.map(() => 'shared-worker false'));
    await endure(tabs, async (all) => {
      for (const epoch of [2, 3]) {
        await progress(all);
        await site.killWorker('shared-worker.js');
        await moved(all, epoch);
        await progress(all);
      }
      return all;
    });
    expect((await states(tabs)).map((state) => state.mode)).toEqual(tabs.map(() => 'shared-worker'));
  }, 240_000);

  for (const prefer of ['shared-worker', 'tab']) {
    test(`Wills of dead tabs are published (${prefer})`, async () => {
      const tabs = await open({ name: `wills-${prefer}`, storage: `idb:wills-${prefer}`, prefer }, 4);
      const hosting = (await states(tabs)).findIndex((state) => state.hosting);
      const host = prefer === 'tab' ? (tabs[hosting] as Tab) : undefined;
      const [watcher, closed, crashed] = tabs.filter((tab) => tab !== host) as [Tab, Tab, Tab];
      await watcher.call('client', 'watcher', ['will/#']);
      await closed.call('client', 'closed', [], 'will/closed');
      await crashed.call('client', 'crashed', [], 'will/crashed');
      await host?.call('client', 'host', [], 'will/host');
      const wills = async () => Object.keys(await watcher.call<Record<string, string[]>>('heard')).sort();
      expect(await wills()).toEqual([]);
      await closed.page.close();
      await expect.poll(wills, waiting).toEqual(['will/closed']);
      await site.crash(crashed.page);
      await expect.poll(wills, waiting).toEqual(['will/closed', 'will/crashed']);
      if (host === undefined) return;
      await host.page.close();
      await expect.poll(wills, waiting).toEqual(['will/closed', 'will/crashed', 'will/host']);
    }, 120_000);
  }

  test('a page that was reloaded finds its Session', async () => {
    const [tab] = await open({ name: 'reload', storage: 'idb:reload', prefer: 'tab' }, 1);
    await tab?.call('client', 'pub', []);
    await tab?.call('client', 'sub', ['seq/#']);
    await tab?.call('end', 'sub');
    await tab?.call('publish', 'pub', 'seq/1/reload', 1);
    await expect
      .poll(async () => (await tab?.call<Record<string, number>>('acknowledged'))?.['seq/1/reload'], waiting)
      .toBeGreaterThan(20);
    const sent = (await tab?.call<Record<string, number>>('acknowledged'))?.['seq/1/reload'] ?? 0;
    await tab?.page.reload();
    await tab?.page.waitForFunction(() => 'ready' in globalThis);
    await tab?.call('connect', { name: 'reload', storage: 'idb:reload', prefer: 'tab' });
    await tab?.call('client', 'sub', []);
    const heard = async () => (await tab?.call<Record<string, string[]>>('heard'))?.['seq/1/reload'] ?? [];
    await expect.poll(async () => (await heard()).length, waiting).toBeGreaterThanOrEqual(sent);
    expect((await heard()).map(Number)).toEqual((await heard()).map((_, index) => index + 1));
  }, 60_000);

  test('where there is neither worker nor lock a page has its own broker, and says so', async () => {
    const tab = new Tab(await site.page('shared'));
    await tab.page.evaluate(() => Object.defineProperty(navigator, 'locks', { value: undefined }));
    const state = await tab.call<State>('connect', { name: 'own', worker: '/no-such-file.js' });
    expect(state).toMatchObject({ mode: 'own', hosting: true, epoch: expect.any(Number) });
    expect(state.why).toMatch(/^shared-worker: the worker did not start \(.*\); tab: there are no Web Locks/);
    await tab.call('client', 'alone', ['seq/#']);
    await tab.call('publish', 'alone', 'seq/2/own', 2);
    await progress([tab], 5);
  }, 60_000);

  test('a tab finds the host wherever it runs, and pages that ask for another storage are refused', async () => {
    const [elected] = await open({ name: 'mixed', prefer: 'tab' }, 1);
    const [other] = await open({ name: 'mixed' }, 1);
    expect(await other?.call<State>('state')).toMatchObject({ mode: 'tab', hosting: false, epoch: 1 });
    const stranger = new Tab(await site.page('shared'));
    await expect(stranger.call('connect', { name: 'mixed', storage: 'idb:mixed', prefer: 'tab' })).rejects.toThrow(
      /<options: 'mixed' is served with storage 'memory:', and this page asks for 'idb:mixed'/,
    );
    // The worker, which waited, takes over.
    await elected?.page.close();
    await moved([other as Tab], 2);
    expect(await other?.call<State>('state')).toMatchObject({ mode: 'shared-worker', hosting: false });
  }, 60_000);

  test('wrong options', async () => {
    const tab = new Tab(await site.page('shared'));
    await expect(tab.call('connect', { name: 'a/b' })).rejects.toThrow(
      `TypeError: name: "a/b" is not allowed; it is a string of 1 to 100 characters without ':', '/' and '\\'`,
    );
    await expect(tab.call('connect', { name: 'x', prefer: 'service-worker' })).rejects.toThrow(
      /<TypeError: prefer: "service-worker" is not allowed/,
    );
    await expect(tab.call('connect', { name: 'x', heartbeatMs: 0 })).rejects.toThrow(
      /<TypeError: heartbeatMs: 0 is not allowed/,
    );
    await expect(tab.call('connect', { name: 'x', storage: 'disk:x', prefer: 'tab' })).rejects.toThrow(
      /<failed: .*storage: "disk:x" is not allowed/,
    );
  }, 60_000);
});
