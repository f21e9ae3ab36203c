import { readFile } from 'node:fs/promises';
import mqtt from 'mqtt';
import { afterEach, expect, test } from 'vitest';
import { Broker } from '../src/exports.js';

const wasm = await WebAssembly.compile(await readFile(new URL('../generated/wasmqtt_bg.wasm', import.meta.url)));
const brokers: Broker[] = [];
const create = async (options = {}) => {
  const broker = await Broker.create({ wasm, ...options });
  brokers.push(broker);
  return broker;
};
afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close();
});

const connect = (broker: Broker, options: mqtt.IClientOptions = {}) =>
  mqtt.connectAsync('ws://home.invalid/mqtt', {
    createWebsocket: broker.createWebsocket as never,
    forceNativeWebSocket: true,
    timerVariant: 'native',
    ...options,
  });

test('MQTT.js connects, subscribes and is told a message', async () => {
  const broker = await create();
  const client = await connect(broker, { clientId: 'phone' });
  const told = new Promise<string>((resolve) =>
    client.on('message', (topic, payload) => resolve(`${topic} ${payload}`)),
  );
  await client.subscribeAsync('home/+/temperature', { qos: 2 });
  await client.publishAsync('home/kitchen/temperature', '21', { qos: 2 });
  expect(await told).toBe('home/kitchen/temperature 21');
  expect(broker.inspect('phone')?.subscriptions).toEqual([
    { filter: 'home/+/temperature', qos: 2, noLocal: false, retainAsPublished: false },
  ]);
  await client.endAsync();
});
