/** The Node entry: streams and real listeners, with clients that know nothing of this package. */
import { connect as tcp } from 'node:net';
import mqtt, { MqttClient } from 'mqtt';
import { expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import { duplex, type Listening, listen } from '../src/node.js';
import { createTestBroker } from '../src/testing.js';
import { connect, create, publish, SUBSCRIBE, wasm } from './core.js';

const listening: Listening[] = [];
const open = async (...args: Parameters<typeof listen>) => {
  const one = await listen(...args);
  listening.push(one);
  return one;
};

test('MQTT.js over a stream', async () => {
  const broker = await create();
  const client = new MqttClient(() => duplex(broker), { clientId: 'a', reconnectPeriod: 0, timerVariant: 'native' });
  await new Promise((resolve) => client.on('connect', resolve));
  const told = new Promise((resolve) => client.on('message', (_, payload) => resolve(payload.length)));
  await client.subscribeAsync('big', { qos: 2 });
  await client.publishAsync('big', Buffer.alloc(5 << 20, 'x'), { qos: 2 });
  expect(await told).toBe(5 << 20);
  await client.endAsync();
  await broker.idle();
  expect(broker.inspect().sessions).toEqual([]);
});

test('a stream that is destroyed is a lost connection', async () => {
  const broker = await create();
  const heard: string[] = [];
  await broker.subscribe('will', ({ topic }) => heard.push(topic));
  const stream = duplex(broker);
  const will = { topic: 'will', payload: Buffer.from('x'), qos: 0 as const, retain: false };
  const client = new MqttClient(() => stream, { clientId: 'a', reconnectPeriod: 0, will, timerVariant: 'native' });
  await new Promise((resolve) => client.on('connect', resolve));
  stream.destroy();
  await broker.idle();
  expect(heard).toEqual(['will']);
  await client.endAsync(true);
});

test('real listeners, TCP and WebSocket, each with a port of its own', async () => {
  const broker = await create();
  const { port, wsPort, close } = await open(broker, { port: 0, wsPort: 0 });
  const tcp = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 0 });
  const ws = await mqtt.connectAsync(`ws://127.0.0.1:${wsPort}/mqtt`, { reconnectPeriod: 0 });
  await tcp.subscribeAsync('#', { qos: 1 });
  const told = new Promise((resolve) => tcp.on('message', (topic, payload) => resolve([topic, payload.length])));
  await ws.publishAsync('big', Buffer.alloc(1 << 20), { qos: 1 });
  expect(await told).toEqual(['big', 1 << 20]);
  const ended = Promise.all(
    [tcp, ws].map((client) => new Promise((resolve) => client.on('close', () => resolve(undefined)))),
  );
  await close();
  await ended;
  await Promise.all([tcp.endAsync(true), ws.endAsync(true)]);
  expect(broker.inspect().sessions).toEqual([]);
});

test('a WebSocket without the subprotocol, or with text, is closed [5:MQTT-6.0.0-1] [5:MQTT-6.0.0-3]', async () => {
  const broker = await create();
  const { wsPort, close } = await open(broker, { wsPort: 0 });
  const closed = (socket: WebSocket) => new Promise((resolve) => socket.on('close', (code) => resolve(code)));
  expect(await closed(new WebSocket(`ws://127.0.0.1:${wsPort}`))).toBe(1002);
  const text = new WebSocket(`ws://127.0.0.1:${wsPort}`, ['mqtt']);
  text.on('open', () => text.send('hello'));
  expect(await closed(text)).toBe(1003);
  await close();
});

test.each<[object, RegExp]>([
  [{}, /^port, wsPort: one must be given$/],
  [{ port: -1 }, /^port: found -1; allowed: a whole number from 0 to 65535$/],
  [{ ports: 1 }, /^ports: there is no such option; allowed: host, port, wsPort$/],
  [{ port: 0, host: 7 }, /^host: found 7; allowed: an address$/],
])('listening with %j is refused', async (options, message) => {
  const broker = await create();
  await expect(listen(broker, options)).rejects.toThrow(message);
});

test('a broker for tests says what there was instead', async () => {
  await using suite = await createTestBroker({ wasm });
  suite.broker.publish('a', 'x', { qos: 1 });
  await suite.expectMessage('a', { payload: 'x', qos: 1, retain: false });
  await expect(suite.expectMessage('a', { payload: 'y' }, { timeoutMs: 0 })).rejects.toThrow(
    `no message on 'a' is "y"; there were 'a' "x", QoS 1, RETAIN 0`,
  );
  await expect(suite.expectNoMessage('a')).rejects.toThrow(/nothing was expected on 'a'/);
  await suite.expectNoMessage('b');
  await expect(suite.expectConnected('phone', { timeoutMs: 0 })).rejects.toThrow(
    /'phone' is not connected; connected: 'page-1'/,
  );
  const before = suite.broker.now();
  await suite.advance(1_000);
  expect(suite.broker.now() - before).toBe(1_000);
});

test('a client that is only about to connect is waited for, while timers stand still', async () => {
  await using suite = await createTestBroker({ wasm });
  vi.useFakeTimers();
  try {
    const client = new MqttClient(() => duplex(suite.broker), { clientId: 'kitchen', timerVariant: 'native' });
    client.publish('home/kitchen/temperature', '21', { qos: 2, retain: true });
    const message = await suite.expectMessage('home/kitchen/temperature', { payload: '21', qos: 2 });
    expect(message.retain).toBe(true);
    await suite.expectConnected('kitchen');
    await client.endAsync(true);
  } finally {
    vi.useRealTimers();
  }
});

test('a stream whose bytes the broker does not take yet takes no more', async () => {
  let decide: (verdict: boolean) => void = () => {};
  const verdict = new Promise<boolean>((resolve) => {
    decide = resolve;
  });
  const broker = await create({ auth: () => verdict });
  const stream = duplex(broker);
  stream.write(connect('a'));
  const publication = Buffer.concat(Array.from({ length: 1 << 14 }, () => publish(1)));
  let sent = 0;
  await vi.waitFor(() => {
    // The broker says between two turns that it reads no more.
    sent += 1;
    stream.write(publication);
    expect(stream.writableLength).toBeGreaterThan(0);
  });
  const drained = new Promise((resolve) => stream.once('drain', resolve));
  decide(true);
  await drained;
  await broker.idle();
  expect(broker.counters().publishesReceived).toBe(sent << 14);
  stream.destroy();
});

test('a peer that reads nothing costs no more than its limits, and one that sends is slowed', async () => {
  let decide: (verdict: boolean) => void = () => {};
  const verdict = new Promise<boolean>((resolve) => {
    decide = resolve;
  });
  const broker = await create({ auth: ({ clientIdentifier }) => clientIdentifier === 'r' || verdict });
  const { port = 0, close } = await open(broker, { port: 0 });
  const reader = tcp(port, '127.0.0.1');
  reader.pause();
  reader.write(connect('r'));
  reader.write(SUBSCRIBE);
  await vi.waitFor(() => expect(broker.inspect('r')?.subscriptions).toHaveLength(1));
  for (let n = 0; n < 64; n += 1) {
    broker.publish('t', new Uint8Array(1 << 20));
    await broker.idle();
  }
  expect(broker.counters().droppedOutboxFull).toBeGreaterThan(30);
  expect(broker.counters().outboxBytes).toBeLessThan(3 << 20);
  const writer = tcp(port, '127.0.0.1');
  writer.write(connect('w'));
  const publication = Buffer.concat(Array.from({ length: 1 << 14 }, () => publish(1)));
  let sent = 0;
  // Until the system takes no more, since nobody reads.
  while (sent < 1_000 && (writer.write(publication) || writer.writableLength < 1 << 24)) {
    sent += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(writer.writableLength).toBeGreaterThan(0);
  decide(true);
  await new Promise((resolve) => writer.once('drain', resolve));
  reader.destroy();
  writer.destroy();
  await close();
});

test('a broker that is closed takes nobody in, and lets nobody hang', async () => {
  const broker = await create();
  const { port = 0, wsPort, close } = await open(broker, { port: 0, wsPort: 0 });
  const reader = tcp(port, '127.0.0.1');
  reader.pause();
  reader.write(connect('r'));
  reader.write(SUBSCRIBE);
  await vi.waitFor(() => expect(broker.inspect('r')?.subscriptions).toHaveLength(1));
  for (let n = 0; n < 16; n += 1) broker.publish('t', new Uint8Array(1 << 20));
  await broker.close();
  const late = tcp(port, '127.0.0.1');
  await new Promise((resolve) => late.once('close', resolve).on('error', () => {}));
  const socket = new WebSocket(`ws://127.0.0.1:${wsPort}`, ['mqtt']);
  expect(await new Promise((resolve) => socket.on('close', resolve))).toBe(1006);
  expect(() => duplex(broker)).toThrow(/closed/);
  expect(() => broker.port()).toThrow(/closed/);
  reader.destroy();
  await close();
});
