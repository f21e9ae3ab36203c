/** What the package's tests share: the core as `cargo xtask www` built it, brokers that end with their test. */
import { readFile } from 'node:fs/promises';
import mqtt from 'mqtt';
import { afterEach } from 'vitest';
import { Broker, type BrokerOptions } from '../src/exports.js';

export const wasm = await WebAssembly.compile(await readFile(new URL('../generated/wasmqtt_bg.wasm', import.meta.url)));

const brokers: Broker[] = [];

/** A broker that is closed when the test is over. */
export async function create(options: BrokerOptions = {}): Promise<Broker> {
  const broker = await Broker.create({ wasm, ...options });
  brokers.push(broker);
  return broker;
}

afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close();
});

/** MQTT.js, connected, with no patience: what is cut stays so. */
export const mqttjs = (broker: Broker, options: mqtt.IClientOptions = {}): Promise<mqtt.MqttClient> =>
  mqtt.connectAsync('ws://home.invalid/mqtt', {
    createWebsocket: broker.createWebsocket as never,
    forceNativeWebSocket: true,
    timerVariant: 'native',
    reconnectPeriod: 0,
    ...options,
  });

/** MQTT 3.1.1 CONNECT, Clean Session, no Keep Alive, of a client named by one letter. */
export const connect = (letter: string) =>
  new Uint8Array([0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 1, letter.charCodeAt(0)]);
/** CONNACK, accepted, no Session. */
export const CONNACK = [0x20, 2, 0, 0];
/** SUBSCRIBE to `t`, QoS 0, Packet Identifier 1, and its SUBACK. */
export const SUBSCRIBE = new Uint8Array([0x82, 6, 0, 1, 0, 1, 0x74, 0]);
export const SUBACK = [0x90, 3, 0, 1, 0];
/** PUBLISH of one byte to `t`, QoS 0. */
export const publish = (byte: number) => new Uint8Array([0x30, 4, 0, 1, 0x74, byte]);

/** The next event of a name. */
export const next = <E extends Event>(target: EventTarget, name: string): Promise<E> =>
  new Promise((resolve) => target.addEventListener(name, (event) => resolve(event as E), { once: true }));
