/**
 * Three MQTT clients that people use, unchanged, behind one small face, each told the same stories. They differ in how
 * they are handed a socket: MQTT.js has a hook, u8-mqtt takes an instance, Paho knows only the page's `WebSocket`.
 */
import mqtt from 'mqtt';
import Paho from 'paho-mqtt';
import { mqtt_v4, mqtt_v5 } from 'u8-mqtt';
import { Broker, connectPort, installWebSocket } from '../../../src/index.js';

interface Will {
  topic: string;
  payload: string;
}

interface Options {
  id: string;
  clean: boolean;
  v5: boolean;
  will?: Will;
}

interface Client {
  publish(topic: string, payload: string | Uint8Array, qos: 0 | 1 | 2, retain?: boolean): Promise<void>;
  subscribe(filter: string, qos: 0 | 1 | 2): Promise<void>;
  end(): Promise<void>;
}

/** Opens a socket into the broker; the last one is kept, to be cut. */
type Open = (url: string, protocols?: string | string[]) => WebSocket;
type Told = (topic: string, payload: Uint8Array) => void;
type Make = (open: Open | undefined, options: Options, told: Told) => Promise<Client>;

const url = 'ws://home.invalid/mqtt';

const mqttjs: Make = async (open, { id, clean, v5, will }, told) => {
  const client = mqtt.connect(url, {
    createWebsocket: open as never,
    clientId: id,
    clean,
    protocolVersion: v5 ? 5 : 4,
    reconnectPeriod: 0,
    ...(v5 && { properties: { sessionExpiryInterval: clean ? 0 : 1000 } }),
    ...(will && { will: { topic: will.topic, payload: will.payload as never, qos: 1, retain: false } }),
  } as mqtt.IClientOptions);
  client.on('message', (topic, payload) => told(topic, payload));
  client.on('error', () => {});
  await new Promise((resolve, reject) =>
    client.once('connect', resolve).once('close', () => reject(new Error('closed'))),
  );
  return {
    publish: async (topic, payload, qos, retain = false) => {
      await client.publishAsync(topic, payload as never, { qos, retain });
    },
    subscribe: async (filter, qos) => {
      await client.subscribeAsync(filter, { qos });
    },
    end: () => client.endAsync(),
  };
};

const paho: Make = async (open, { id, clean, will }, told) => {
  const before = globalThis.WebSocket;
  // Paho reads the global when it connects.
  if (open !== undefined)
    globalThis.WebSocket = new Proxy(before, { construct: (_, [address, protocols]) => open(address, protocols) });
  const client = new Paho.Client(url, id);
  const acked = new Map<unknown, () => void>();
  client.onMessageArrived = (message) => told(message.destinationName, message.payloadBytes as Uint8Array);
  client.onMessageDelivered = (message) => acked.get(message)?.();
  const message = (topic: string, payload: string | Uint8Array, qos: 0 | 1 | 2, retained: boolean) => {
    const made = new Paho.Message(payload as never);
    Object.assign(made, { destinationName: topic, qos, retained });
    return made;
  };
  await new Promise<void>((onSuccess, reject) =>
    client.connect({
      cleanSession: clean,
      mqttVersion: 4,
      ...(will && { willMessage: message(will.topic, will.payload, 1, false) }),
      onSuccess: () => onSuccess(),
      onFailure: ({ errorMessage }) => reject(new Error(errorMessage)),
    }),
  );
  globalThis.WebSocket = before;
  return {
    publish: (topic, payload, qos, retain = false) =>
      new Promise((resolve) => {
        const made = message(topic, payload, qos, retain);
        acked.set(made, resolve);
        client.send(made);
      }),
    subscribe: (filter, qos) => new Promise((resolve) => client.subscribe(filter, { qos, onSuccess: () => resolve() })),
    end: async () => client.disconnect(),
  };
};

const u8: Make = async (open, { id, clean, v5, will }, told) => {
  const client = (v5 ? mqtt_v5 : mqtt_v4)().with_websock(open?.(url, ['mqtt']));
  client.on_topic('*', (packet: { topic: string; payload: Uint8Array }) => told(packet.topic, packet.payload));
  await client.connect({
    client_id: id,
    flags: { clean_start: clean, reserved: false },
    ...(v5 && { props: { session_expiry_interval: clean ? 0 : 1000 } }),
    ...(will && { will: { topic: will.topic, payload: will.payload, qos: 1, retain: false } }),
  });
  return {
    publish: async (topic, payload, qos, retain = false) => {
      const packet = { topic, payload, qos, retain };
      // Its `publish` of 0.6.7 sends nothing at QoS 0; what is below it does.
      await (qos === 0 ? client._send('publish', packet) : client.publish(packet));
    },
    subscribe: async (filter, qos) => {
      await client.subscribe([{ topic: filter, opts: { qos } }]);
    },
    end: () => client.disconnect(),
  };
};

/**
 * The highest QoS that a client speaks, the one at which it can send 5 MiB (Paho keeps the rest in localStorage), and
 * whether it stumbles over a fixed header that comes in two pieces, as u8-mqtt 0.6.7 does.
 */
const CLIENTS: Record<string, { make: Make; qosMax: 1 | 2; qosBig: 0 | 1; wantsWhole: boolean }> = {
  mqttjs: { make: mqttjs, qosMax: 2, qosBig: 1, wantsWhole: false },
  paho: { make: paho, qosMax: 2, qosBig: 0, wantsWhole: false },
  u8: { make: u8, qosMax: 1, qosBig: 1, wantsWhole: true },
};

/** A socket whose bytes go in small pieces, and come in such unless the client wants packets whole. */
function split(broker: Broker, wantsWhole: boolean): WebSocket {
  const [near, far] = [new MessageChannel(), broker.port({ locks: null })];
  const relay = (from: MessagePort, to: MessagePort) => {
    let size = 0;
    from.onmessage = ({ data }) => {
      if (!(data instanceof ArrayBuffer) || (wantsWhole && from === far)) return to.postMessage(data);
      for (let at = 0; at < data.byteLength; at += size) {
        size = (size % 7) + 1;
        to.postMessage(data.slice(at, at + size));
      }
    };
  };
  relay(near.port1, far);
  relay(far, near.port1);
  return connectPort(near.port2, 'mqtt', { locks: null }) as unknown as WebSocket;
}

/** Resolves when `is` is true; looks whenever something may have changed. */
async function until(what: string, is: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!is()) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}

/** Tells a client all stories; gives what happened, line by line. A client that waits for ever is told on. */
async function stories(name: string, v5: boolean): Promise<string[]> {
  const lines: string[] = [];
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error(`${name} waits for ever behind: ${lines.join('; ')}`)), 30_000),
  );
  return Promise.race([tellAll(name, v5, lines), late]);
}

async function tellAll(name: string, v5: boolean, lines: string[]): Promise<string[]> {
  const { make, qosMax, qosBig, wantsWhole } = CLIENTS[name] as (typeof CLIENTS)[string];
  await using broker = await Broker.create();
  let last: WebSocket | undefined;
  const open: Open = (address, protocols) => {
    last = broker.createWebsocket(address, protocols) as unknown as WebSocket;
    return last;
  };
  const heard: string[] = [];
  const text = new TextDecoder();
  const told: Told = (topic, payload) => {
    heard.push(payload.length > 100 ? `${topic} ${payload.length}` : `${topic} ${text.decode(payload)}`);
  };
  const expectHeard = async (story: string, ...expected: string[]) => {
    await until(`${story}: ${expected}, and there was ${heard}`, () => heard.length >= expected.length);
    const got = heard.splice(0).sort().join(', ');
    lines.push(`${story}: ${got}`);
  };

  const one = await make(open, { id: 'one', clean: true, v5 }, told);
  const version = broker.inspect('one')?.version;
  lines.push(`connected: ${version}`);
  for (const qos of ([0, 1, 2] as const).filter((qos) => qos <= qosMax)) {
    await one.subscribe(`q/${qos}`, qos);
    await one.publish(`q/${qos}`, 'x', qos);
    await expectHeard(`QoS ${qos}`, `q/${qos} x`);
  }
  await one.publish('kept', '21', 1, true);
  await one.subscribe('kept', 1);
  await expectHeard('retained', 'kept 21');

  await one.subscribe('will', 1);
  await make(open, { id: 'two', clean: true, v5, will: { topic: 'will', payload: 'gone' } }, () => {});
  last?.close();
  await expectHeard('will after a cut', 'will gone');

  const away = await make(open, { id: 'three', clean: false, v5 }, told);
  await away.subscribe('later', 1);
  last?.close();
  await until('the broker to notice', () => broker.inspect('three')?.connected === false);
  await one.publish('later', 'a', 1);
  await one.publish('later', 'b', 1);
  const back = await make(open, { id: 'three', clean: false, v5 }, told);
  await expectHeard('reconnect and resume', 'later a', 'later b');
  await back.end();

  await one.subscribe('big', 1);
  const big = new Uint8Array(5 << 20).fill(0x61);
  await one.publish('big', big, qosBig);
  await expectHeard('5 MiB', `big ${5 << 20}`);

  const pieces = await make(() => split(broker, wantsWhole), { id: 'four', clean: true, v5 }, told);
  await pieces.subscribe('pieces/#', qosMax);
  await pieces.publish('pieces/of/eight', 'x'.repeat(90), qosMax);
  await expectHeard('split', `pieces/of/eight ${'x'.repeat(90)}`);
  await pieces.end();
  await one.end();
  await until('all to be gone', () => broker.inspect().sessions.filter((session) => session.connected).length === 0);
  return lines;
}

/** Paho with nothing but `installWebSocket`, as its user would. */
async function installed(): Promise<string> {
  await using broker = await Broker.create();
  const uninstall = installWebSocket(broker, { match: 'ws://home.invalid/*' });
  const client = await paho(undefined, { id: 'p', clean: true, v5: false }, () => {});
  const names = broker.inspect().sessions.map((session) => session.clientIdentifier);
  await client.end();
  uninstall();
  return names.join();
}

Object.assign(globalThis, { stories, installed });
