/** A page with a broker, and a bridge over the browser's own WebSocket. */
import { type BridgeEvent, type BridgeOptions, Broker, type BrokerOptions } from '../../../src/index.js';

let broker: Broker;
const events: BridgeEvent[] = [];
const heard: [topic: string, payload: string, qos: number][] = [];
const text = new TextDecoder();

const functions = {
  async create(options: BrokerOptions, filter: string) {
    broker = await Broker.create({ wasm: '/wasmqtt.wasm', ...options });
    broker.on('bridge', (event) => events.push(event));
    await broker.subscribe(
      filter,
      ({ topic, payload, qos }) => {
        heard.push([topic, payload.length > 100 ? `${payload.length}` : text.decode(payload), qos]);
      },
      { qos: 2 },
    );
  },
  bridge: async (options: BridgeOptions) => (await broker.bridge(options)).name,
  /** The message of the TypeError. */
  refused: (options: BridgeOptions) =>
    broker.bridge(options).then(
      () => '',
      (error: Error) => `${error.name}: ${error.message}`,
    ),
  publish: (topic: string, payload: string, qos: 0 | 1 | 2, retain = false) =>
    broker.publish(topic, payload, { qos, retain }),
  'publish many bytes': (topic: string, count: number, bytes: number) => {
    for (let n = 0; n < count; n += 1) broker.publish(topic, new Uint8Array(bytes), { qos: 1 });
  },
  events: () => events,
  heard: () => heard,
  bridges: () => broker.inspect().bridges,
  /** Messages of a Session that wait or are not acknowledged. */
  owed: (clientIdentifier: string) => {
    const { queue = [], inFlight = [] } = broker.inspect(clientIdentifier) ?? {};
    return queue.length + inFlight.length;
  },
  close: () => broker.close(),
};

Object.assign(globalThis, {
  ready: true,
  call: (name: keyof typeof functions, args: unknown[]) =>
    (functions[name] as (...args: unknown[]) => unknown)(...args),
});
