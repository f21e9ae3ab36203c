/**
 * Bridges from a page in a real Chromium, over its own WebSocket: to a broker of this package in Node, to this project's
 * server and to Debian's mosquitto; over a reload of the page; and from whichever tab or worker hosts a shared broker.
 */
import { EventEmitter } from 'node:events';
import mqtt from 'mqtt';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { create } from '../core.js';
import { mosquitto, pageRemote, type Remote, server } from '../remote.js';
import { Site } from './site.js';

const waiting = { timeout: 45_000, interval: 20 };

let site: Site;
const remotes: Remote[] = [];
beforeAll(async () => {
  site = await Site.open('bridge', 'shared', 'shared-worker');
}, 60_000);
afterAll(() => site?.close());
afterEach(async () => {
  for (const page of site.context.pages()) await page.close();
  for (const remote of remotes.splice(0)) await remote.close();
});
const begun = async (remote: Promise<Remote>) => {
  remotes.push(await remote);
  return remote;
};

const call = <T>(page: Page, name: string, ...args: unknown[]): Promise<T> =>
  page.evaluate(([name, args]) => (globalThis as unknown as { call(...all: unknown[]): unknown }).call(name, args), [
    name,
    args,
  ] as const) as Promise<T>;
/** Until a function of the page gives what is wanted. */
const gives = (page: Page, name: string, ...args: unknown[]) => expect.poll(() => call(page, name, ...args), waiting);

const options = (url: string) => ({
  url,
  name: 'remote',
  clientIdentifier: 'page',
  topics: [
    { filter: 'up/#', direction: 'out' },
    { filter: 'down/#', direction: 'in' },
  ],
  redialMinMs: 50,
  redialMaxMs: 200,
});

/** MQTT.js at the remote, with all that it hears on `up/#`. */
async function there(url: string) {
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, protocolVersion: 5, timerVariant: 'native' });
  const heard: unknown[][] = [];
  const came = new EventEmitter();
  client.on('message', (topic, payload, { qos }) => came.emit('more', heard.push([topic, `${payload}`, qos])));
  await client.subscribeAsync('up/#', { qos: 2 });
  const until = async (count: number) => {
    while (heard.length < count) await new Promise((resolve) => came.once('more', resolve));
    return heard;
  };
  return { client, heard, until, [Symbol.asyncDispose]: () => client.endAsync(true) };
}

test.each([
  ['a broker of this package', async () => pageRemote(await create())],
  ["this project's server", server],
  ["Debian's mosquitto", mosquitto],
])('to %s: every QoS both ways, what is retained, and back after the remote was gone', async (_, begin) => {
  const remote = await begun(begin());
  const page = await site.page('bridge');
  await call(page, 'create', {}, 'down/#');
  {
    await using far = await there(remote.url);
    await far.client.publishAsync('down/kept', 'k', { qos: 1, retain: true });
    await call(page, 'bridge', options(remote.url));
    await gives(page, 'events').toMatchObject([{ type: 'up', name: 'remote' }]);
    await gives(page, 'heard').toEqual([['down/kept', 'k', 1]]);
    for (const qos of [0, 1, 2] as const) {
      await call(page, 'publish', 'up/x', `${qos}`, qos);
      await far.client.publishAsync('down/x', `${qos}`, { qos });
    }
    expect(await far.until(3)).toEqual([0, 1, 2].map((qos) => ['up/x', `${qos}`, qos]));
    await gives(page, 'heard').toHaveLength(4);
    expect((await call<unknown[]>(page, 'heard')).slice(1)).toEqual([0, 1, 2].map((qos) => ['down/x', `${qos}`, qos]));
    await far.client.unsubscribeAsync('up/#');
    // More than may wait in a WebSocket at once; the remote acknowledges all of it.
    await call(page, 'publish many bytes', 'up/big', 64, 100_000);
    await gives(page, 'owed', '$bridge/remote').toBe(0);
  }
  page.errors.length = 0;
  await remote.kill();
  await gives(page, 'bridges').toMatchObject([{ state: 'waiting', dialsAt: expect.any(Number) }]);
  await gives(page, 'events').toContainEqual(
    expect.objectContaining({ type: 'down', why: 'dial-failed', text: expect.stringMatching(/code 1006/) }),
  );
  await remote.start();
  await gives(page, 'bridges').toMatchObject([{ state: 'up' }]);
  await using far = await there(remote.url);
  await call(page, 'publish', 'up/again', '2', 2);
  expect(await far.until(1)).toEqual([['up/again', '2', 2]]);
});

test('a page that is loaded anew goes on with the Session of its bridge', async () => {
  const far = await create();
  const remote = await begun(pageRemote(far));
  const page = await site.page('bridge');
  await call(page, 'create', { storage: 'idb:bridged' }, 'down/#');
  await call(page, 'bridge', options(remote.url));
  await gives(page, 'events').toMatchObject([{ type: 'up', sessionPresent: false }]);
  await expect.poll(() => far.inspect('page')?.subscriptions.length, waiting).toBe(1);
  await remote.kill();
  await gives(page, 'bridges').toMatchObject([{ state: 'waiting' }]);
  for (const qos of [1, 2] as const) {
    await call(page, 'publish', 'up/x', `${qos}`, qos);
    far.publish('down/x', `${qos}`, { qos });
  }
  const heard: unknown[] = [];
  await far.subscribe('up/#', ({ payload, qos }) => heard.push([new TextDecoder().decode(payload), qos]), { qos: 2 });
  // Nobody closes the broker.
  await page.reload();
  await page.waitForFunction(() => (globalThis as { ready?: boolean }).ready === true);
  await call(page, 'create', { storage: 'idb:bridged', wait: true }, 'down/#');
  expect(await call(page, 'owed', '$bridge/remote')).toBe(2);
  await remote.start();
  await call(page, 'bridge', options(remote.url));
  await gives(page, 'events').toContainEqual(expect.objectContaining({ type: 'up', sessionPresent: true }));
  await gives(page, 'heard').toEqual([
    ['down/x', '1', 1],
    ['down/x', '2', 2],
  ]);
  await expect
    .poll(() => heard, waiting)
    .toEqual([
      ['1', 1],
      ['2', 2],
    ]);
  expect(await call(page, 'refused', { ...options(remote.url), clientIdentifier: undefined })).toMatch(
    /^TypeError: clientIdentifier: found undefined; allowed: a text that is the same after a reload/,
  );
});

describe.each(['tab', 'shared-worker'] as const)('a bridge of a shared broker (%s)', (prefer) => {
  test('is dialled by the host, and by the next when it dies, whoever asked for it', async () => {
    const far = await create();
    const remote = await begun(pageRemote(far));
    const tabs: Page[] = [];
    for (let n = 0; n < 3; n += 1) {
      const page = await site.page('shared');
      tabs.push(page);
      const shared = { name: `bridged-${prefer}`, storage: `idb:bridged-${prefer}`, prefer };
      await call(page, 'connect', { worker: '/shared-worker.js', wasm: '/wasmqtt.wasm', ...shared });
    }
    const [first, second, third] = tabs as [Page, Page, Page];
    // The last one hears what comes, and lives to the end.
    await call(third, 'client', 'reader', ['down/#']);
    expect(await call(second, 'bridge', options(remote.url))).toBe('remote');
    const crosses = async (text: string) => {
      const session = () => far.inspect('page');
      await expect.poll(() => session()?.connected && session()?.subscriptions.length, waiting).toBe(1);
      far.publish('down/x', text, { qos: 2 });
      await expect
        .poll(async () => (await call<Record<string, string[]>>(third, 'heard'))['down/x'], waiting)
        .toContain(text);
    };
    await crosses('1');
    // Whoever hosts dies, with it in the end who asked for the bridge.
    const kill = (tab: Page) => (prefer === 'tab' ? site.crash(tab) : site.killWorker('shared-worker.js'));
    for (const [n, tab] of [first, second].entries()) {
      const left = new Promise<void>((resolve) => {
        const stop = far.on('connection', ({ type }) => {
          if (type !== 'disconnected') return;
          stop();
          resolve();
        });
      });
      await kill(tab);
      if (prefer !== 'tab') await tab.close();
      await left;
      await crosses(`${n + 2}`);
    }
    expect((await call<Record<string, string[]>>(third, 'heard'))['down/x']).toEqual(['1', '2', '3']);
    const { bridges } = await call<{ bridges: object[] }>(third, 'inspect');
    expect(bridges).toMatchObject([{ name: 'remote', state: 'up' }]);
    expect(await call(third, 'remove bridge', 'remote')).toBe(true);
    await expect.poll(() => far.inspect('page'), waiting).toBeUndefined();
  });
});
