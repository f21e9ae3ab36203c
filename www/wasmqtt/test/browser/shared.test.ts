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
      // Some publish, all hear: the load is to leave the browser time.
      tabs
        .filter((_, n) => n % 3 === 0)
        .map(async (tab) => {
          const n = tabs.indexOf(tab);
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
  async function progress(tabs: Tab[], messages = 20): Promise<void> {
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

  test('a page without Web Locks is known by its heartbeat', async () => {
    const options = { name: 'heartbeat', worker: '/shared-worker.js', heartbeatMs: 400 };
    const [watcher, other] = [new Tab(await site.page('shared')), new Tab(await site.page('shared'))];
    for (const tab of [watcher, other]) {
      await tab.page.evaluate(() => Object.defineProperty(navigator, 'locks', { value: undefined }));
      expect(await tab.call('connect', options)).toMatchObject({ mode: 'shared-worker', why: undefined });
    }
    await watcher.call('client', 'watcher', ['will/#']);
    await other.call('client', 'other', [], 'will/other');
    const wills = async () => Object.keys(await watcher.call<Record<string, string[]>>('heard'));
    await site.crash(other.page);
    await expect.poll(wills, waiting).toEqual(['will/other']);
    await site.killWorker('shared-worker.js');
    await expect.poll(async () => (await watcher.call<string[]>('events')).length, waiting).toBe(1);
  }, 60_000);

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

  test('calls, events, subscriptions and ports lead to the host, and to the next one after a move', async () => {
    const [host, other] = (await open({ name: 'calls', storage: 'idb:calls', prefer: 'tab' }, 2)) as [Tab, Tab];
    const [at, from] = (await host.call<State>('state')).hosting ? [host, other] : [other, host];
    await from.call('listen', ['connection'], 'news/#');
    await at.call('client', 'neighbour', []);
    await from.call('publish as broker', 'news/a', 'one');
    expect(await from.call('ping through a port')).toEqual([0x20, 2, 0, 0]);
    const listened = () => from.call<string[]>('listened');
    await expect
      .poll(listened, waiting)
      .toEqual(expect.arrayContaining(['connected neighbour', 'connected port', 'news/a one']));
    const view = await from.call<{ sessions: { clientIdentifier: string }[]; retained: unknown[] }>('inspect');
    expect(view.sessions.map((session) => session.clientIdentifier)).toContain('neighbour');
    expect(view.retained).toHaveLength(1);
    await expect(from.call('publish as broker', 'news/#', 'x')).rejects.toThrow(/refused/);
    await expect(from.call('listen', [], 'a/#/b')).rejects.toThrow(/not a Topic Name or Topic Filter/);
    await at.call('leave');
    expect(await at.call('code of a socket')).toBe(1006);
    await expect(at.call('publish as broker', 'news/x', '')).rejects.toThrow(/<closed: the shared broker was closed>/);
    await moved([from], 2);
    // The Retained Message is stored, and the subscription is made again.
    await expect.poll(async () => (await listened()).filter((line) => line === 'news/a one').length, waiting).toBe(2);
    await from.call('publish as broker', 'news/b', 'two');
    await expect.poll(listened, waiting).toContain('news/b two');
  }, 60_000);

  test('a storage that another broker has open is waited for, and a damaged one is said by `connect`', async () => {
    const tab = new Tab(await site.page('shared'));
    await tab.page.evaluate(() => {
      const held = new Promise<void>((resolve) => {
        (globalThis as unknown as { free: () => void }).free = resolve;
      });
      void navigator.locks.request('wasmqtt:store:idb:used', () => held);
    });
    await expect(tab.call('connect', { name: 'used', storage: 'idb:used', timeoutMs: 500 })).rejects.toThrow(
      /<timeout: 'used' had no host within 500 ms .* has 'idb:used' open/,
    );
    await tab.page.evaluate(() => (globalThis as unknown as { free(): void }).free());
    for (const prefer of ['tab', 'shared-worker']) {
      const options = { name: `used-${prefer}`, storage: 'idb:used', prefer, worker: '/shared-worker.js' };
      expect(await tab.call('connect', options)).toMatchObject({ mode: prefer });
      await tab.call('leave');
      await tab.call('damage', 'idb:used');
      await expect(tab.call('connect', options)).rejects.toThrow(/<failed: .*'idb:used' is damaged: block 1 of /);
      await tab.call('destroy', 'idb:used');
    }
  }, 60_000);

  test.each(['tab', 'shared-worker'])(
    'a store that is deleted under its broker is followed by another (%s)',
    async (prefer) => {
      const storage = `idb:gone-${prefer}`;
      const [tab] = (await open({ name: `gone-${prefer}`, storage, prefer }, 1)) as [Tab];
      await tab.call('client', 'alone', ['seq/#']);
      await tab.page.evaluate(
        (name) => {
          const request = indexedDB.deleteDatabase(name);
          return new Promise((resolve) => request.addEventListener('success', resolve));
        },
        storage.replace('idb:', 'wasmqtt:'),
      );
      await moved([tab], 2);
      // The Session is gone with the store; what begins now works.
      await tab.call('end', 'alone');
      await tab.call('client', 'again', ['seq/#']);
      await tab.call('publish', 'again', 'seq/2/gone', 2);
      await progress([tab], 5);
    },
    60_000,
  );

  test('wrong options', async () => {
    const tab = new Tab(await site.page('shared'));
    const wrong = async (options: object) =>
      tab.call('connect', options).then(
        () => 'connected',
        (error: Error) => /<(.*)>/.exec(error.message)?.[1],
      );
    expect(await wrong({ name: 'a/b' })).toBe(
      `TypeError: name: found "a/b"; allowed: a text of 1 to 100 characters without ':', '/' and '\\'`,
    );
    expect(await wrong({ name: 'x', prefer: 'service-worker' })).toMatch(/^TypeError: prefer: found "service-worker"/);
    expect(await wrong({ name: 'x', heartbeatMs: 0 })).toMatch(/^TypeError: heartbeatMs: found 0/);
    expect(await wrong({ name: 'x', storage: 'disk:x' })).toMatch(/^TypeError: storage: /);
    expect(await wrong({ name: 'x', storage: 'opfs:x' })).toMatch(/^TypeError: storage: .*opfs/);
    expect(await wrong({ name: 'x', clock: 'manual' })).toMatch(/^TypeError: clock: not for a shared broker/);
    expect(await wrong({ name: 'x', storage: 7 as never })).toMatch(/^TypeError: storage: 7 is not allowed; /);
    expect(await wrong(7 as never)).toBe('TypeError: options: found 7; allowed: an object');
    expect(await wrong({ name: 'x', colour: 'red' })).toMatch(/^TypeError: colour: there is no such option/);
  }, 60_000);

  test('the built package, from a plain page, with its own worker', async () => {
    const page = await site.page('plain');
    expect(await page.evaluate(() => (globalThis as unknown as { result: unknown }).result)).toEqual({
      mode: 'shared-worker',
      why: undefined,
      heard: ['a hello'],
    });
  }, 60_000);
});
