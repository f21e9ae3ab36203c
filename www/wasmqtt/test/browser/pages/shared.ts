/** A tab that uses a shared broker, with MQTT.js as its client; a test tells it what to do and asks what it heard. */
import mqtt, { type MqttClient } from 'mqtt';
import type { BridgeOptions } from '../../../src/bridge.js';
import { SharedBroker, type SharedBrokerOptions } from '../../../src/shared.js';
import { destroyStorage, openStorage } from '../../../src/storage/open.js';

let shared: SharedBroker;
const events: string[] = [];
/** Payloads by topic, in the order in which they came. */
const heard: Record<string, string[]> = {};
/** Sequence numbers that were acknowledged, by topic. */
const acknowledged: Record<string, number> = {};
const listened: string[] = [];
let running = false;
let clients: MqttClient[] = [];

const functions = {
  async connect(options: SharedBrokerOptions) {
    shared = await SharedBroker.connect(options);
    shared.on('moved', ({ epoch, mode, hosting }) => events.push(`moved ${epoch} ${mode} ${hosting}`));
    shared.on('outdated', () => events.push('outdated'));
    shared.on('failed', (error) => events.push(`failed ${error.message}`));
    return functions.state();
  },
  state: () => ({
    mode: shared.mode,
    epoch: shared.epoch,
    hosting: shared.hosting,
    why: shared.why,
  }),
  events: () => events,
  heard: () => heard,
  acknowledged: () => acknowledged,

  /** Connects a client with a lasting Session and, if asked, a Will; resolves when its Subscriptions are granted. */
  async client(clientId: string, filters: string[], will?: string) {
    const client = mqtt.connect('ws://shared.invalid/mqtt', {
      createWebsocket: shared.createWebsocket as never,
      clientId,
      clean: false,
      protocolVersion: 5,
      properties: { sessionExpiryInterval: 3600 },
      reconnectPeriod: 20,
      timerVariant: 'native',
      ...(will === undefined ? {} : { will: { topic: will, payload: 'dead', qos: 1, retain: false } }),
    });
    clients.push(client);
    client.on('message', (topic, payload) => {
      heard[topic] = heard[topic] ?? [];
      heard[topic].push(payload.toString());
    });
    await new Promise<void>((resolve) => client.once('connect', () => resolve()));
    for (const filter of filters) await client.subscribeAsync(filter, { qos: 2 });
  },

  /** Publishes numbers, a few at a time, until `stop`. */
  publish(clientId: string, topic: string, qos: 1 | 2) {
    running = true;
    const client = clients.find(({ options }) => options.clientId === clientId) as MqttClient;
    let next = 0;
    const send = () => {
      if (!running) return;
      const number = ++next;
      client.publish(topic, String(number), { qos }, (error) => {
        // PUBCOMP 0x92 after a PUBREL that is sent again: the broker had it before it moved [5:3.7.2.1].
        if (error && !(qos === 2 && /Packet Identifier not found/.test(error.message)))
          events.push(`publish ${topic} ${number}: ${error.message}`);
        else acknowledged[topic] = (acknowledged[topic] ?? 0) + 1;
        send();
      });
      sent[topic] = number;
    };
    for (let n = 0; n < 2; n += 1) send();
  },
  /** Ends a client; its Session stays. */
  async end(clientId: string) {
    await clients.find(({ options }) => options.clientId === clientId)?.endAsync();
  },
  /** Publishes no more; what is under way goes on. */
  stop: () => {
    running = false;
    return sent;
  },
  /** Writes down events and messages. */
  async listen(events: 'connection'[], filter: string) {
    for (const event of events) {
      shared.on(event, (told) => 'clientIdentifier' in told && listened.push(`${told.type} ${told.clientIdentifier}`));
    }
    await shared.subscribe(filter, ({ topic, payload }) =>
      listened.push(`${topic} ${new TextDecoder().decode(payload)}`),
    );
  },
  listened: () => listened,
  'publish as broker': (topic: string, payload: string) => shared.publish(topic, payload, { qos: 1, retain: true }),
  inspect: () => shared.inspect(),
  bridge: async (options: BridgeOptions) => (await shared.bridge(options)).name,
  'remove bridge': (name: string) => shared.removeBridge(name),
  /** Says CONNECT (3.1.1, Client Identifier `port`) into a port; gives the CONNACK. */
  async 'ping through a port'() {
    const port = shared.port();
    const answer = new Promise<number[]>((resolve) => {
      port.onmessage = ({ data }) => data instanceof ArrayBuffer && resolve([...new Uint8Array(data)]);
    });
    const client = [0, 4, 0x70, 0x6f, 0x72, 0x74];
    port.postMessage(Uint8Array.of(0x10, 16, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, ...client).buffer);
    return answer;
  },
  /** Puts a block into a store that no broker wrote. */
  async damage(storage: string) {
    const opened = await openStorage(storage, { wait: true });
    await opened?.store.replace([Uint8Array.of(1, 2, 3)]);
    opened?.store.close();
    await opened?.release();
  },
  destroy: (storage: string) => destroyStorage(storage, { wait: true }),
  /** Opens a socket; gives the code with which it is closed. */
  'code of a socket': () =>
    new Promise((resolve) => {
      shared.websocket().onclose = ({ code }) => resolve(code);
    }),
  async leave() {
    for (const client of clients) client.end(true);
    clients = [];
    await shared.close();
  },
};
const sent: Record<string, number> = {};

Object.assign(globalThis, {
  ready: true,
  call: async (name: keyof typeof functions, args: unknown[]) => {
    try {
      return await (functions[name] as (...args: unknown[]) => unknown)(...args);
    } catch (error) {
      const { code, name, message } = error as { code?: string; name: string; message: string };
      throw new Error(`<${code ?? name}: ${message}>`);
    }
  },
});
