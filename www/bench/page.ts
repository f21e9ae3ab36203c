/** What is measured inside the page. `run.mjs` calls each from outside, in a fresh page. */
import mqtt from 'mqtt';
import type { Broker } from '../wasmqtt/src/index.js';
import { connected, flood, nextTask } from './flood.js';
import { Relay } from './relay.js';

/** The package as a page gets it, not a bundle made for this. */
const PACKAGE = '/dist/index.js';
const load = (): Promise<{ Broker: typeof Broker }> => import(PACKAGE);

const CONNACK_BYTES = 4;
const text = (value: string) => [0, value.length, ...new TextEncoder().encode(value)];
const packet = (first: number, ...body: number[]) => [first, body.length, ...body];
/** CONNECT, 3.1.1, Clean Session, no Keep Alive. */
const connectPacket = (client: string) => packet(0x10, ...text('MQTT'), 4, 2, 0, 0, ...text(client));
/** SUBSCRIBE at QoS 0 with identifier 1. */
const subscribePacket = (filter: string) => packet(0x82, 0, 1, ...text(filter), 0);
/** PUBLISH at QoS 0 to `t` with 16 bytes. */
const PUBLISH = packet(0x30, ...text('t'), ...new Array(16).fill(0x61));

const isBytes = (data: unknown): data is ArrayBuffer => data instanceof ArrayBuffer;

/** From the import to the first CONNACK, in milliseconds; `afterFetch` without what loopback took. */
async function ready(): Promise<{ total: number; afterFetch: number }> {
  const begun = performance.now();
  const { Broker } = await load();
  const broker = await Broker.create();
  const port = broker.port();
  port.postMessage(Uint8Array.from(connectPacket('first')).buffer);
  await new Promise<void>((resolve) => {
    port.onmessage = ({ data }) => isBytes(data) && resolve();
  });
  const now = performance.now();
  const fetched = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
  const last = Math.max(begun, ...fetched.filter(({ startTime }) => startTime >= begun).map((e) => e.responseEnd));
  return { total: now - begun, afterFetch: now - last };
}

/** Packets through two ports, `joined` in each message and at most `underWay` not yet received; packets a second. */
async function packets(make: () => Promise<[MessagePort, MessagePort]>, joined: number, underWay: number) {
  const [publisher, subscriber] = await make();
  const message = Uint8Array.from({ length: PUBLISH.length * joined }, (_, at) => PUBLISH[at % PUBLISH.length] ?? 0);
  let received = 0;
  let wake = () => {};
  subscriber.onmessage = ({ data }) => {
    if (!isBytes(data)) return;
    received += data.byteLength / PUBLISH.length;
    wake();
  };
  const run = async (count: number) => {
    received = 0;
    const begun = performance.now();
    for (let sent = 0; received < count; ) {
      while (sent < count && sent - received < underWay) {
        publisher.postMessage(message.slice().buffer);
        sent += joined;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return (count * 1000) / (performance.now() - begun);
  };
  const count = joined === 1 && underWay === 1 ? 4_096 : 65_536;
  await run(count);
  return run(count);
}

const brokerPorts = async (): Promise<[MessagePort, MessagePort]> => {
  const { Broker } = await load();
  const broker = await Broker.create();
  const open = async (client: string, then: number[], bytes: number) => {
    const port = broker.port();
    port.postMessage(Uint8Array.from([...connectPacket(client), ...then]).buffer);
    let heard = 0;
    await new Promise<void>((resolve) => {
      port.onmessage = ({ data }) => {
        if (isBytes(data)) heard += data.byteLength;
        if (heard === bytes) resolve();
      };
    });
    return port;
  };
  return [
    await open('publisher', [], CONNACK_BYTES),
    await open('subscriber', subscribePacket('t'), CONNACK_BYTES + 5),
  ];
};

/** A port that sends everything back, which is the least that a round through a port can cost. */
const echoPorts = async (): Promise<[MessagePort, MessagePort]> => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => port1.postMessage(data, [data]);
  return [port2, port2];
};

/** Packets a second through the broker and through the echo, in turns, so that both meet the same noise. */
async function ports(joined: number, underWay: number): Promise<{ broker: number; echo: number }[]> {
  const rounds = [];
  for (let round = 0; round < 5; round += 1) {
    const echo = await packets(echoPorts, joined, underWay);
    rounds.push({ echo, broker: await packets(brokerPorts, joined, underWay) });
  }
  return rounds;
}

const CLIENT = { reconnectPeriod: 0, forceNativeWebSocket: true, timerVariant: 'native', protocolVersion: 4 } as const;

async function mqttjs(createWebsocket: unknown, count: number): Promise<number> {
  const open = () =>
    connected(mqtt.connect('ws://home.invalid/mqtt', { ...CLIENT, createWebsocket: createWebsocket as never }));
  const [publisher, subscriber] = [await open(), await open()];
  const rate = await flood(publisher, subscriber, count);
  await Promise.all([publisher.endAsync(true), subscriber.endAsync(true)]);
  return rate;
}

/** MQTT.js on both sides of a broker in this page; messages a second. */
async function mqttjsBroker(count: number): Promise<number> {
  const { Broker } = await load();
  const broker = await Broker.create();
  return mqttjs(broker.createWebsocket, count);
}

/** The same through a relay that does nothing. */
const mqttjsRelay = (count: number): Promise<number> => mqttjs(new Relay().createWebsocket, count);

declare const gc: () => void;
declare const performance: Performance & { memory: { usedJSHeapSize: number } };

/** Clients with a Subscription each: how long they take, and what they keep. */
async function clients(count: number) {
  let memory: WebAssembly.Memory | undefined;
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct(target, parameters) {
      const instance = Reflect.construct(target, parameters) as WebAssembly.Instance;
      memory = instance.exports.memory as WebAssembly.Memory;
      return instance;
    },
  });
  const { Broker } = await load();
  const broker = await Broker.create({ limits: { connectionsMax: count } });
  await broker.idle();
  const measure = async () => {
    for (let i = 0; i < 3; i += 1) {
      gc();
      await nextTask();
    }
    return { linear: memory?.buffer.byteLength ?? Number.NaN, heap: performance.memory.usedJSHeapSize };
  };
  const before = await measure();
  const begun = performance.now();
  const sockets: unknown[] = [];
  let ready = 0;
  await new Promise<void>((resolve, reject) => {
    for (let i = 0; i < count; i += 1) {
      const socket = broker.websocket();
      socket.binaryType = 'arraybuffer';
      let bytes = 0;
      socket.onopen = () => {
        socket.send(Uint8Array.from([...connectPacket(`client-${i}`), ...subscribePacket(`home/${i}/light`)]));
      };
      socket.onmessage = ({ data }) => {
        bytes += (data as ArrayBuffer).byteLength;
        if (bytes < CONNACK_BYTES + 5) return;
        ready += 1;
        if (ready === count) resolve();
      };
      socket.onclose = () => reject(new Error(`client ${i} was closed`));
      sockets.push(socket);
    }
  });
  const milliseconds = performance.now() - begun;
  const after = await measure();
  const each = (what: 'linear' | 'heap') => (after[what] - before[what]) / sockets.length;
  return { milliseconds, linear: each('linear'), heap: each('heap') };
}

Object.assign(globalThis, { bench: { ready, ports, mqttjsBroker, mqttjsRelay, clients } });
