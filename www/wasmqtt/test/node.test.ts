/** The Node entry: streams and real listeners, with clients that know nothing of this package. */
import mqtt, { MqttClient } from 'mqtt';
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { duplex, type Listening, listen } from '../src/node.js';
import { createTestBroker } from '../src/testing.js';
import { create, wasm } from './core.js';

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
  await expect(suite.expectMessage('a', { payload: 'y' })).rejects.toThrow(
    `no message on 'a' is "y"; there were 'a' "x", QoS 1, RETAIN 0`,
  );
  await expect(suite.expectNoMessage('a')).rejects.toThrow(/nothing was expected on 'a'/);
  await suite.expectNoMessage('b');
  await expect(suite.expectConnected('phone')).rejects.toThrow(/'phone' is not connected; connected: 'page-1'/);
  const before = suite.broker.now();
  await suite.advance(1_000);
  expect(suite.broker.now() - before).toBe(1_000);
});
