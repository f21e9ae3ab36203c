/** What its owner does with a broker: kicks, limits, permissions, authentication, counters, snapshots of time. */
import type mqtt from 'mqtt';
import { expect, test, vi } from 'vitest';
import type { Broker, ConnectInfo, ConnectionEvent, Counters } from '../src/exports.js';
import { CONNACK, connect, create, mqttjs, next, publish, SUBSCRIBE } from './core.js';

/** MQTT.js with MQTT 5.0 and no patience. */
const client = (broker: Broker, options: mqtt.IClientOptions = {}) =>
  mqttjs(broker, { protocolVersion: 5, ...options });

/** An open socket and the bytes that came. */
async function open(broker: Broker) {
  const socket = broker.websocket();
  socket.binaryType = 'arraybuffer';
  const bytes: number[] = [];
  socket.addEventListener('message', (event) => bytes.push(...new Uint8Array((event as MessageEvent).data)));
  await next(socket, 'open');
  return { socket, bytes };
}

test('a client that is kicked hears why', async () => {
  const broker = await create();
  const phone = await client(broker, { clientId: 'phone', properties: { sessionExpiryInterval: 100 } });
  const told = new Promise((resolve) => phone.on('disconnect', ({ reasonCode }) => resolve(reasonCode)));
  expect(broker.kick('phone', { code: 0x89 })).toBe(true);
  expect(await told).toBe(0x89);
  expect(broker.inspect('phone')?.connected).toBe(false);
  expect(broker.kick('phone', { endSession: true })).toBe(true);
  expect(broker.inspect('phone')).toBeUndefined();
  expect(broker.kick('nobody')).toBe(false);
  expect(() => broker.kick('phone', { code: 0x10 })).toThrow(
    /^code: found 16; allowed: a whole number from 128 to 255$/,
  );
  await phone.endAsync(true);
});

test('limits change while it runs, and only those that are given', async () => {
  const broker = await create({ limits: { receiveMaximum: 7 } });
  broker.setLimits({ maximumQos: 1, retainAvailable: false });
  const { socket, bytes } = await open(broker);
  // MQTT 5.0 CONNECT of "a", Clean Start.
  socket.send(new Uint8Array([0x10, 14, 0, 4, 77, 81, 84, 84, 5, 2, 0, 0, 0, 0, 1, 97]));
  await broker.idle();
  // Receive Maximum (0x21) 7, Maximum QoS (0x24) 1, Retain Available (0x25) 0 are in CONNACK.
  const text = bytes.join();
  expect(text).toContain([0x21, 0, 7].join());
  expect(text).toContain([0x24, 1].join());
  expect(text).toContain([0x25, 0].join());
  expect(() => broker.setLimits({ maximumQos: 3 as never })).toThrow(/^limits.maximumQos: found 3; allowed: /);
});

test('permissions bind clients, not the page that set them', async () => {
  const broker = await create({ permissions: { subscribe: { allow: ['open/#'] }, publish: { allow: ['open/#'] } } });
  const heard: string[] = [];
  await broker.subscribe('#', ({ topic }) => heard.push(topic));
  const phone = await client(broker);
  await phone.publishAsync('open/x', '', { qos: 1 });
  await expect(phone.publishAsync('closed/x', '', { qos: 1 })).rejects.toMatchObject({ code: 0x87 });
  await expect(phone.subscribeAsync('closed/#')).rejects.toThrow();
  broker.setPermissions({ publish: { allow: ['closed/#'] } });
  await phone.publishAsync('closed/x', '', { qos: 1 });
  await expect(phone.publishAsync('open/x', '', { qos: 1 })).rejects.toMatchObject({ code: 0x87 });
  broker.publish('page');
  await broker.idle();
  expect(heard).toEqual(['open/x', 'closed/x', 'page']);
  expect(() => broker.setPermissions({ publish: { allow: 'x' as never } })).toThrow(
    /^permissions.publish.allow: found/,
  );
  await phone.endAsync();
});

test('enhanced authentication goes to and fro (4.12)', async () => {
  const asked: Partial<ConnectInfo>[] = [];
  const text = new TextDecoder();
  const broker = await create({
    auth: ({ authentication, clientIdentifier, again }) => {
      const data = text.decode(authentication?.data);
      asked.push({ clientIdentifier, again });
      if (data === 'hello') return { continue: new Uint8Array([0x3f]) };
      return data === 'world' && { allow: true, user: 'alice', data: new Uint8Array([0x21]) };
    },
  });
  const { socket, bytes } = await open(broker);
  // CONNECT 5.0: Authentication Method (0x15) "m", Authentication Data (0x16) "hello"; Client Identifier "a".
  const properties = [0x15, 0, 1, 0x6d, 0x16, 0, 5, ...new TextEncoder().encode('hello')];
  socket.send(new Uint8Array([0x10, 26, 0, 4, 77, 81, 84, 84, 5, 2, 0, 0, properties.length, ...properties, 0, 1, 97]));
  await broker.idle();
  // AUTH, Continue authentication (0x18), method "m", data "?".
  expect(bytes.splice(0)).toEqual([0xf0, 10, 0x18, 8, 0x15, 0, 1, 0x6d, 0x16, 0, 1, 0x3f]);
  const answer = [0x15, 0, 1, 0x6d, 0x16, 0, 5, ...new TextEncoder().encode('world')];
  socket.send(new Uint8Array([0xf0, 14, 0x18, answer.length, ...answer]));
  await broker.idle();
  expect([bytes[0], bytes[3]]).toEqual([0x20, 0]);
  expect(bytes.join()).toContain([0x16, 0, 1, 0x21].join());
  expect(broker.inspect('a')?.user).toBe('alice');
  expect(asked).toEqual([
    { clientIdentifier: 'a', again: false },
    { clientIdentifier: 'a', again: false },
  ]);
});

test('who is gone before the answer is not let in by it', async () => {
  let decide: (verdict: boolean) => void = () => {};
  const auth = vi.fn(
    (_: ConnectInfo) =>
      new Promise<boolean>((resolve) => {
        decide = resolve;
      }),
  );
  const broker = await create({ auth });
  const told: ConnectionEvent[] = [];
  broker.on('connection', (event) => told.push(event as ConnectionEvent));
  const { socket } = await open(broker);
  socket.send(connect('a'));
  await vi.waitFor(() => expect(auth).toHaveBeenCalledOnce());
  expect(auth.mock.calls[0]?.[0]).toMatchObject({ clientIdentifier: 'a', version: '3.1.1', transport: 'page' });
  socket.close();
  decide(true);
  await broker.idle();
  expect(broker.inspect().sessions).toEqual([]);
  expect(told).toEqual([]);
});

test.each([
  ['nothing', undefined],
  ['a text', 'yes'],
  ['a Reason Code that is none', { allow: false, reason: 5 }],
  ['a Reason Code that MQTT does not have', { allow: false, reason: 0xff }],
  ['a user that is none', { allow: true, user: 7 }],
  ['permissions that are none', { allow: true, permissions: { publish: { allow: 'x' } } }],
])('a verdict that is %s lets nobody in, and is told', async (_, verdict) => {
  const errors: unknown[] = [];
  const broker = await create({ auth: () => verdict as never });
  broker.on('connection', (event) => event.type === 'auth-error' && errors.push(event.error));
  await expect(client(broker)).rejects.toMatchObject({ code: 0x88 });
  expect(errors).toEqual([expect.any(TypeError)]);
  // The page's own subscriptions are not asked about.
  await broker.subscribe('#', () => {});
});

test('counters have numbers for what happened', async () => {
  const broker = await create();
  const { socket } = await open(broker);
  socket.send(connect('a'));
  socket.send(SUBSCRIBE);
  socket.send(publish(1));
  await broker.idle();
  expect(broker.counters()).toMatchObject({
    connects: 1,
    publishesReceived: 1,
    publishesSent: 1,
    subscriptions: 1,
    sessionsConnected: 1,
  } satisfies Partial<Counters>);
});

test('a snapshot brings its time along, and what the page subscribed to goes on', async () => {
  const broker = await create({ clock: 'manual', seed: 1 });
  const heard: string[] = [];
  await broker.subscribe('t', ({ payload }) => heard.push(String(payload[0])));
  const begin = broker.now();
  await broker.advance(1_000);
  const snapshot = broker.snapshot();
  await broker.advance(3_600_000);
  broker.publish('t', new Uint8Array([1]));
  await broker.idle();
  broker.restore(snapshot);
  expect(broker.now() - begin).toBe(1_000);
  await broker.idle();
  broker.publish('t', new Uint8Array([2]));
  await broker.idle();
  expect(heard).toEqual(['1', '2']);
  // Another broker, whose clock is behind, takes it too.
  const other = await create({ clock: 'manual' });
  other.restore(snapshot);
  expect(other.now() - begin).toBe(1_000);
  const { socket, bytes } = await open(other);
  socket.send(connect('a'));
  await other.advance(1);
  expect(bytes).toEqual(CONNACK);
});

test('the same inputs give the same state, whoever looks on', async () => {
  const tell = async (watched: boolean) => {
    const broker = await create({ clock: 'manual', seed: 5 });
    const stop = watched ? broker.on('packet', () => {}) : () => {};
    const { socket, bytes } = await open(broker);
    for (const packet of [connect('a'), SUBSCRIBE, publish(1)]) {
      socket.send(packet);
      await broker.advance(10);
    }
    stop();
    return [broker.digest(), bytes];
  };
  const [one, two] = [await tell(false), await tell(true)];
  expect(one).toEqual(two);
});

test('a trace that nobody reads leaves out what is too much, and says how much', async () => {
  const broker = await create();
  const reader = broker.trace().getReader();
  const { socket } = await open(broker);
  socket.send(connect('a'));
  socket.send(SUBSCRIBE);
  // Each gives two packets and two decisions.
  const burst = new Uint8Array(6 * 3_000);
  for (let at = 0; at < burst.length; at += 6) burst.set(publish(7), at);
  socket.send(burst);
  await broker.idle();
  let [read, left] = [0, 0];
  const take = async () => {
    const { value } = await reader.read();
    if (value?.name === 'left-out') left += value.event.count;
    else read += 1;
  };
  for (let n = 0; n < 10_000; n += 1) await take();
  socket.send(publish(8));
  await broker.idle();
  while (left === 0) await take();
  expect(read).toBe(10_000);
  // CONNECT, CONNACK, SUBSCRIBE, SUBACK, the connection; what 3,000 publications give; one stands in the stream.
  expect(left).toBe(5 + 4 * 3_000 - 10_000);
  await reader.cancel();
});
