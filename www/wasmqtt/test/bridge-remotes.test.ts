/**
 * Bridges to brokers that are programs of their own: this project's server, whose core runs under wasmtime, and Debian's
 * mosquitto. MQTT.js looks at the other side.
 */
import { EventEmitter } from 'node:events';
import mqtt from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { BridgeOptions } from '../src/exports.js';
import { create } from './core.js';
import { bridgeEvents, mosquitto, over, type Remote, server } from './remote.js';

const clients: mqtt.MqttClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true);
});

/** MQTT.js, 5.0, with all that it hears on a Topic Filter. */
async function listener(options: mqtt.IClientOptions & { url?: string }, filter?: string) {
  const { url = 'ws://home.invalid/mqtt', ...rest } = options;
  const client = await mqtt.connectAsync(url, {
    ...{ reconnectPeriod: 0, protocolVersion: 5, timerVariant: 'native' },
    // MQTT.js decides once for all of its clients how they open WebSockets.
    forceNativeWebSocket: true,
    createWebsocket: ((url: string, protocols: string[]) => new WebSocket(url, protocols)) as never,
    ...rest,
  });
  clients.push(client);
  const heard: unknown[][] = [];
  const came = new EventEmitter();
  client.on('message', (topic, payload, { qos, retain }) =>
    came.emit('more', heard.push([topic, `${payload}`, qos, retain])),
  );
  if (filter !== undefined) await client.subscribeAsync(filter, { qos: 2, rap: true });
  const until = async (count: number) => {
    while (heard.length < count) await new Promise((resolve) => came.once('more', resolve));
    return heard;
  };
  return { client, heard, until };
}

describe.each([
  ["this project's server", server],
  ["Debian's mosquitto", mosquitto],
])('a bridge to %s', (_, begin) => {
  let remote: Remote;
  beforeAll(async () => {
    remote = await begin();
  });
  afterAll(() => remote?.close());

  const near = async (options: Partial<BridgeOptions> = {}) => {
    const broker = await create();
    const events = bridgeEvents(broker);
    const bridge = await broker.bridge(over(remote.url, options));
    const page = { createWebsocket: broker.createWebsocket as never };
    return { broker, events, bridge, page };
  };

  test.each(['5.0', '3.1.1'] as const)('carries every QoS both ways, with %s', async (version) => {
    const topics = [
      { filter: 'up/#', direction: 'out', remotePrefix: `${version}/` },
      { filter: 'down/#', direction: 'in', remotePrefix: `${version}/` },
    ] as const;
    const { events, page, bridge } = await near({ version, topics: [...topics] });
    await events.next('up');
    const here = await listener(page, 'down/#');
    const there = await listener({ url: remote.url }, `${version}/up/#`);
    for (const qos of [0, 1, 2] as const) {
      await here.client.publishAsync('up/x', `${qos}`, { qos });
      await there.client.publishAsync(`${version}/down/x`, `${qos}`, { qos });
    }
    expect(await there.until(3)).toEqual([0, 1, 2].map((qos) => [`${version}/up/x`, `${qos}`, qos, false]));
    expect(await here.until(3)).toEqual([0, 1, 2].map((qos) => ['down/x', `${qos}`, qos, false]));
    bridge.remove();
  });

  test('has what is retained on both sides on both sides, and Wills', async () => {
    const there = await listener({ url: remote.url });
    await there.client.publishAsync('kept/there', 'b', { qos: 1, retain: true });
    const broker = await create();
    broker.publish('kept/here', 'a', { qos: 1, retain: true });
    const events = bridgeEvents(broker);
    const bridge = await broker.bridge(over(remote.url, { topics: [{ filter: 'kept/#', direction: 'both' }] }));
    await events.next('up');
    const page = { createWebsocket: broker.createWebsocket as never };
    const both = [
      ['kept/here', 'a', 1, true],
      ['kept/there', 'b', 1, true],
    ];
    const late = await listener({ url: remote.url }, 'kept/#');
    expect((await late.until(2)).toSorted()).toEqual(both);
    const here = await listener(page, 'kept/#');
    expect((await here.until(2)).toSorted()).toEqual(both);
    const will = { topic: 'kept/will', payload: Buffer.from('gone'), qos: 1 as const, retain: true };
    const dying = await listener({ ...page, will });
    dying.client.stream.destroy();
    expect((await late.until(3))[2]).toEqual(['kept/will', 'gone', 1, true]);
    // Nothing comes back to where it began.
    await there.client.publishAsync('kept/last', '', { qos: 2 });
    expect((await here.until(4)).slice(2)).toEqual([
      ['kept/will', 'gone', 1, true],
      ['kept/last', '', 2, false],
    ]);
    bridge.remove();
  });

  test('comes back after the remote was killed, and what waited here arrives once', async () => {
    const gate = { open: true };
    class Gated extends WebSocket {
      constructor(...all: [url: string, protocols: string[]]) {
        if (!gate.open) throw new Error('not yet');
        super(...all);
      }
    }
    const webSocket = Gated as unknown as NonNullable<BridgeOptions['webSocket']>;
    const { broker, events, page, bridge } = await near({ topics: [{ filter: 'b/#', direction: 'both' }], webSocket });
    await events.next('up');
    await remote.kill();
    expect(await events.next('down')).toMatchObject({ why: 'lost', dialsAt: expect.any(Number) });
    expect(await events.next('down')).toMatchObject({
      why: 'dial-failed',
      text: expect.stringMatching(/ECONNREFUSED/),
    });
    const here = await listener(page, 'b/down');
    for (const qos of [1, 2] as const) await here.client.publishAsync('b/up', `${qos}`, { qos });
    expect(broker.inspect('$bridge/remote')?.queue).toHaveLength(2);
    // Whoever listens there must be there first.
    gate.open = false;
    await remote.start();
    const there = await listener({ url: remote.url }, 'b/up');
    gate.open = true;
    // What it kept is gone with it: it has no Session for us.
    expect(await events.next('up')).toMatchObject({ sessionPresent: false });
    expect(await there.until(2)).toEqual([1, 2].map((qos) => ['b/up', `${qos}`, qos, false]));
    await there.client.publishAsync('b/down', '2', { qos: 2 });
    expect(await here.until(1)).toEqual([['b/down', '2', 2, false]]);
    expect(there.heard).toHaveLength(2);
    bridge.remove();
  });

  test('both ways twice is no loop', async () => {
    const topics = [{ filter: 'loop/#', direction: 'both' } as const];
    const { broker, events, page } = await near({ topics, hopsMax: 1 });
    await broker.bridge(over(remote.url, { topics, hopsMax: 1, name: 'second', clientIdentifier: 'second' }));
    await events.next('up');
    await events.next('up');
    const here = await listener(page, 'loop/#');
    const there = await listener({ url: remote.url }, 'loop/#');
    await here.client.publishAsync('loop/a', '1', { qos: 1 });
    // Over each bridge once there; none of it comes back.
    expect((await there.until(2)).map(([topic]) => topic)).toEqual(['loop/a', 'loop/a']);
    await there.client.publishAsync('loop/b', '1', { qos: 1 });
    await here.until(3);
    await broker.idle();
    await there.client.publishAsync('loop/c', '1', { qos: 1 });
    await here.until(5);
    await broker.idle();
    const count = (heard: unknown[][], wanted: string) => heard.filter(([topic]) => topic === wanted).length;
    expect(['loop/a', 'loop/b'].map((topic) => count(here.heard, topic))).toEqual([1, 2]);
    expect(['loop/a', 'loop/b'].map((topic) => count(there.heard, topic))).toEqual([2, 1]);
    for (const name of ['remote', 'second']) broker.removeBridge(name);
  });
});
