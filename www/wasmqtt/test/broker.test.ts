/** The broker object: options, events, looks inside, time, snapshots, storage, authentication. */
import 'fake-indexeddb/auto';
import mqtt from 'mqtt';
import { expect, test, vi } from 'vitest';
import { Broker, type BrokerOptions, type ConnectionEvent, connectPort, installWebSocket } from '../src/exports.js';
import { mqttjs as client, connect, create, next, publish, SUBSCRIBE } from './core.js';

test('MQTT.js connects, subscribes and is told a message', async () => {
  const broker = await create();
  const phone = await client(broker, { clientId: 'phone' });
  const told = new Promise<string>((resolve) =>
    phone.on('message', (topic, payload) => resolve(`${topic} ${payload}`)),
  );
  await phone.subscribeAsync('home/+/temperature', { qos: 2 });
  await phone.publishAsync('home/kitchen/temperature', '21', { qos: 2 });
  expect(await told).toBe('home/kitchen/temperature 21');
  expect(broker.inspect('phone')?.subscriptions).toEqual([
    { filter: 'home/+/temperature', qos: 2, noLocal: false, retainAsPublished: false },
  ]);
  await phone.endAsync();
});

test.each<[string, unknown, RegExp]>([
  ['an unknown option', { storge: 'memory:' }, /^storge: there is no such option; allowed: storage, /],
  ['a storage', { storage: 'disk' }, /^storage: /],
  ['a clock', { clock: 'fast' }, /^clock: found "fast"; allowed: 'real' or 'manual'$/],
  ['a seed', { seed: -1 }, /^seed: found -1; allowed: 16 bytes, /],
  [
    'a limit',
    { limits: { receiveMaximum: 0 } },
    /^limits.receiveMaximum: found 0; allowed: a whole number from 1 to 65535$/,
  ],
  [
    'a limit that is none',
    { limits: { queue: 1 } },
    /^limits.queue: there is no such option; allowed: connectionsMax, /,
  ],
  [
    'a limit that is no number',
    { limits: { retainAvailable: 1 } },
    /^limits.retainAvailable: found 1; allowed: true or false$/,
  ],
  ['auth', { auth: 'everybody' }, /^auth: found "everybody"; allowed: a function$/],
  ['rules', { permissions: { publish: { allow: 'a' } } }, /^permissions.publish.allow: found "a"; allowed: a list of /],
  ['a grace', { keepAliveGraceS: 1.5 }, /^keepAliveGraceS: found 1.5; allowed: a whole number from 0 to 65535$/],
  ['a durability', { durability: 'eternal' }, /^durability: found "eternal"; allowed: 'relaxed' or 'strict'$/],
  ['a wish to persist', { persist: 'yes' }, /^persist: found "yes"; allowed: true or false$/],
  ['a wish to wait', { wait: 1 }, /^wait: found 1; allowed: true or false$/],
  ['a signal', { signal: new AbortController() }, /^signal: found {}; allowed: an AbortSignal$/],
  ['a file', { storage: 'idb:x', import: 'a file' }, /^import: found "a file"; allowed: what `export` gave, /],
  ['a file for nothing', { import: new ArrayBuffer(8) }, /^storage: found undefined; allowed: one to import into$/],
  ['an interval', { sysIntervalS: -1 }, /^sysIntervalS: found -1; allowed: a whole number from 0 to 4294967295$/],
  ['a subprotocol', { allowNoSubprotocol: 0 }, /^allowNoSubprotocol: found 0; allowed: true or false$/],
  ['limits', { limits: 7 }, /^limits: found 7; allowed: an object$/],
  ['permissions', { permissions: { read: {} } }, /^permissions.read: there is no such option; allowed: publish, /],
  ['a source', { wasm: 7 }, /^wasm: found 7; allowed: a URL, a Response, /],
  ['locks', { locks: {} }, /^locks: found {}; allowed: a LockManager, or null for none$/],
  ['an IndexedDB', { indexedDB: 'here' }, /^indexedDB: found "here"; allowed: an IDBFactory$/],
  ['no options', 7, /^options: found 7; allowed: an object$/],
])('%s that is wrong is named', async (_, options, message) => {
  const error = await Broker.create(options as BrokerOptions).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(TypeError);
  expect((error as Error).message).toMatch(message);
});

test('a wrong argument is named', async () => {
  const broker = await create({ clock: 'manual' });
  const circle: object[] = [];
  circle.push(circle);
  const { port1 } = new MessageChannel();
  const wrong = [
    [() => broker.on('packets' as never, () => {}), /^on: found "packets"; allowed: packet, /],
    [() => broker.on('packet', 7 as never), /^handler: found 7; allowed: a function$/],
    [() => broker.port({ heartbeatMs: 0 }), /^heartbeatMs: found 0; allowed: a whole number from 1 to 3600000$/],
    [() => broker.port({ beat: 5 } as never), /^beat: there is no such option; allowed: heartbeatMs, /],
    [() => broker.accept(7 as never), /^port: found 7; allowed: a MessagePort$/],
    [() => connectPort(port1, 'mqtt', { heartbeatMs: '5' as never }), /^heartbeatMs: found "5"; allowed: /],
    [() => broker.publish(undefined as never), /^topic: found undefined; allowed: a Topic Name$/],
    // As bytes it would be so many zeros.
    [() => broker.publish('a', 21 as never), /^payload: found 21; allowed: a text, an ArrayBuffer or a view of one$/],
    [() => broker.publish('a', circle as never), /^payload: found .*; allowed: /],
    [() => broker.publish('a', 21n as never), /^payload: found 21; allowed: /],
    [() => broker.publish('a', '', { qos: 3 as never }), /^qos: found 3; allowed: a whole number from 0 to 2$/],
    [() => broker.publish('a', '', { retain: 1 as never }), /^retain: found 1; allowed: true or false$/],
    [() => broker.publish('a', '', { retained: true } as never), /^retained: there is no such option; allowed: qos, /],
    [() => broker.inspect(7 as never), /^clientIdentifier: found 7; allowed: a Client Identifier$/],
    [() => broker.kick(7 as never), /^clientIdentifier: found 7; /],
    [() => broker.kick('a', { code: 0x7f }), /^code: found 127; allowed: a whole number from 128 to 255$/],
    [() => broker.kick('a', { code: 0xff }), /^code: found 255; allowed: a Reason Code of MQTT 5.0$/],
    [() => broker.kick('a', { endSession: 1 as never }), /^endSession: found 1; allowed: true or false$/],
    [() => broker.setLimits(7 as never), /^limits: found 7; allowed: an object$/],
    [() => broker.removeBridge(7 as never), /^name: found 7; allowed: the name of a bridge$/],
    [() => broker.restore('yesterday' as never), /^snapshot: found "yesterday"; allowed: what `snapshot` gave$/],
    [() => installWebSocket({} as never, { match: '*' }), /^broker: found {}; allowed: a Broker or SharedBroker$/],
    [() => installWebSocket(broker, { url: '*' } as never), /^url: there is no such option; allowed: match$/],
  ] as const;
  for (const [call, message] of wrong) {
    expect(call).toThrow(TypeError);
    expect(call).toThrow(message);
  }
  const refused = [
    [broker.subscribe('a', 7 as never), /^handler: found 7; allowed: a function$/],
    [broker.subscribe(7 as never, () => {}), /^filter: found 7; allowed: a Topic Filter$/],
    [broker.subscribe('a', () => {}, { QoS: 1 } as never), /^QoS: there is no such option; allowed: qos$/],
    [broker.advance(Infinity), /^ms: found Infinity; allowed: milliseconds from 0 on$/],
    [broker.advance(-1), /^ms: found -1; allowed: milliseconds from 0 on$/],
  ] as const;
  for (const [call, message] of refused) {
    await expect(call).rejects.toThrow(TypeError);
    await expect(call).rejects.toThrow(message);
  }
  port1.close();
});

test('events tell who comes, what passes and what was decided', async () => {
  const broker = await create();
  const told: unknown[] = [];
  const off = broker.on('connection', (event) => told.push(event));
  broker.on('decision', (event) => told.push(event));
  broker.on('packet', ({ from, name, clientIdentifier }) => told.push([from, name, clientIdentifier]));
  const socket = broker.websocket();
  await next(socket, 'open');
  socket.send(connect('a'));
  socket.send(SUBSCRIBE);
  await broker.idle();
  told.splice(0, 0, 'begin');
  socket.send(publish(7));
  await broker.idle();
  socket.close();
  off();
  await broker.idle();
  expect(told).toEqual([
    'begin',
    ['client', 'CONNECT', undefined],
    ['client', 'SUBSCRIBE', undefined],
    expect.objectContaining({ type: 'connected', clientIdentifier: 'a', version: '3.1.1', cleanStart: true }),
    ['broker', 'CONNACK', 'a'],
    ['broker', 'SUBACK', 'a'],
    ['client', 'PUBLISH', 'a'],
    { type: 'published', publication: 1, clientIdentifier: 'a', topic: 't', qos: 0, retain: false, payloadBytes: 1 },
    { type: 'delivered', publication: 1, clientIdentifier: 'a', filter: 't', qos: 0, retained: false, how: 'sent' },
    ['broker', 'PUBLISH', 'a'],
  ]);
});

test('a client that breaks the protocol is named with the rule, and the broker lives on', async () => {
  const broker = await create();
  const told: ConnectionEvent[] = [];
  broker.on('connection', (event) => told.push(event as ConnectionEvent));
  const socket = broker.websocket();
  await next(socket, 'open');
  const closed = next<CloseEvent>(socket, 'close');
  // SUBSCRIBE before CONNECT [5:MQTT-3.1.0-1].
  socket.send(SUBSCRIBE);
  expect((await closed).code).toBe(1000);
  expect(told).toEqual([
    { type: 'refused', code: 0x82, statement: expect.stringMatching(/MQTT-3.1.0-1$/), text: expect.any(String) },
  ]);
  await (await client(broker)).endAsync();
});

test('publish and subscribe need no client', async () => {
  const broker = await create();
  broker.publish('home/kitchen/temperature', '21', { retain: true });
  const heard: string[] = [];
  const end = await broker.subscribe('home/#', ({ topic, payload, retain }) =>
    heard.push(`${topic} ${new TextDecoder().decode(payload)} ${retain}`),
  );
  broker.publish('home/restroom', new Uint8Array([0x32]), { qos: 2 });
  broker.publish('garden', 'x');
  await broker.idle();
  expect(heard).toEqual(['home/kitchen/temperature 21 true', 'home/restroom 2 false']);
  end();
  broker.publish('home/restroom', '3');
  await broker.idle();
  expect(heard).toHaveLength(2);
  expect(broker.inspect().sessions).toEqual([]);
  expect(broker.inspect().retained).toMatchObject([{ topic: 'home/kitchen/temperature', retain: true, qos: 0 }]);
  expect(() => broker.publish('home/#')).toThrow(/publishing to 'home\/#' was refused/);
  await expect(broker.subscribe('home/#/x', () => {})).rejects.toThrow(/not a Topic Name or Topic Filter/);
});

test('time moves by hand: a Keep Alive runs out and the Will speaks', async () => {
  const broker = await create({ clock: 'manual' });
  const heard: string[] = [];
  await broker.subscribe('#', ({ topic }) => heard.push(topic));
  const socket = broker.websocket();
  await next(socket, 'open');
  // MQTT 3.1.1, Will at QoS 0 to "w", Keep Alive 10 s.
  socket.send(new Uint8Array([0x10, 19, 0, 4, 77, 81, 84, 84, 4, 0b110, 0, 10, 0, 1, 98, 0, 1, 0x77, 0, 1, 0x21]));
  await broker.idle();
  const before = broker.now();
  await broker.advance(14_999);
  expect(heard).toEqual([]);
  await broker.advance(1);
  expect(heard).toEqual(['w']);
  expect(broker.now() - before).toBe(15_000);
  await expect((await create()).advance(1)).rejects.toThrow(/clock: 'manual'/);
});

test('a snapshot brings everything back but connections', async () => {
  const broker = await create({ seed: 7 });
  const phone = await client(broker, { clientId: 'phone', clean: false });
  await phone.subscribeAsync('a', { qos: 1 });
  broker.publish('kept', 'x', { retain: true });
  const snapshot = broker.snapshot();
  const digest = broker.digest();
  broker.publish('kept', '', { retain: true });
  expect(broker.digest()).not.toBe(digest);
  const closed = new Promise((resolve) => phone.on('close', () => resolve(undefined)));
  broker.restore(snapshot);
  await closed;
  expect(broker.inspect('phone')).toMatchObject({ connected: false, subscriptions: [{ filter: 'a', qos: 1 }] });
  expect(broker.inspect().retained).toMatchObject([{ topic: 'kept' }]);
  const again = await client(broker, { clientId: 'phone', clean: false });
  const told = new Promise((resolve) => again.on('message', (topic) => resolve(topic)));
  broker.publish('a', 'x', { qos: 1 });
  expect(await told).toBe('a');
  await again.endAsync();
  expect(() => broker.restore(new Uint8Array(100))).toThrow(/no snapshot/);
});

test('who may connect, and what they may do, is for `auth` to say', async () => {
  const errors: unknown[] = [];
  const broker = await create({
    auth: async ({ userName, password }) => {
      if (userName === 'broken') throw new Error('the database is away');
      const isRight = new TextDecoder().decode(password) === 'secret';
      return isRight && { allow: true, user: 'alice', permissions: { publish: { allow: ['mine/#'] } } };
    },
  });
  broker.on('connection', (event) => event.type === 'auth-error' && errors.push(event.error));
  const v5 = { protocolVersion: 5 as const };
  await expect(client(broker, { ...v5, username: 'alice', password: 'wrong' })).rejects.toMatchObject({ code: 0x87 });
  await expect(client(broker, { ...v5, username: 'broken' })).rejects.toMatchObject({ code: 0x88 });
  expect(errors).toEqual([new Error('the database is away')]);
  const alice = await client(broker, { ...v5, username: 'alice', password: 'secret', clientId: 'a' });
  expect(broker.inspect('a')?.user).toBe('alice');
  await alice.publishAsync('mine/x', '1', { qos: 1 });
  await expect(alice.publishAsync('yours', '1', { qos: 1 })).rejects.toMatchObject({ code: 0x87 });
  await alice.endAsync();
});

test('a page that is loaded again finds its Sessions, queues and Retained Messages', async () => {
  const storage = 'idb:home';
  const before = await create({ storage });
  const phone = await client(before, { clientId: 'phone', clean: false, protocolVersion: 4 });
  await phone.subscribeAsync('home/#', { qos: 2 });
  await phone.endAsync();
  before.publish('home/kitchen', '1', { qos: 2, retain: true });
  before.publish('home/kitchen', '2', { qos: 1 });
  await before.close();
  const events: unknown[] = [];
  const after = await create({ storage });
  after.on('storage', (event) => events.push(event.type));
  expect(after.inspect('phone')).toMatchObject({ connected: false, queue: [{ qos: 2 }, { qos: 1 }] });
  expect(after.inspect().retained).toMatchObject([{ topic: 'home/kitchen' }]);
  const heard: string[] = [];
  const again = mqtt.connect('ws://home.invalid/mqtt', {
    createWebsocket: after.createWebsocket as never,
    forceNativeWebSocket: true,
    timerVariant: 'native',
    clientId: 'phone',
    clean: false,
  });
  again.on('message', (_, payload) => heard.push(String(payload)));
  await vi.waitFor(() => expect(heard.sort()).toEqual(['1', '2']));
  await again.endAsync();
  expect(events).toEqual(['opened']);
  const file = await after.export();
  await after.close();
  await Broker.destroy(storage);
  const copy = await create({ storage: 'idb:copy', import: file });
  expect(copy.inspect().retained).toMatchObject([{ topic: 'home/kitchen' }]);
});

test.each([
  ['is asked', true, true],
  ['is asked and says no', true, false],
  ['is not asked', undefined, undefined],
])('the browser %s to keep the storage when the disk is full', async (_, wished, answer) => {
  const persist = vi.fn(async () => answer);
  vi.stubGlobal('navigator', { storage: { persist } });
  try {
    const storage = 'idb:persisted';
    const broker = await create({ storage, ...(wished !== undefined && { persist: wished }) });
    const opened = new Promise((resolve) => broker.on('storage', resolve));
    expect(await opened).toMatchObject({ type: 'opened', storage, persisted: answer });
    expect(persist).toHaveBeenCalledTimes(wished ? 1 : 0);
    await broker.close();
  } finally {
    vi.unstubAllGlobals();
  }
});

test('a trace ends when it is cancelled, or with its broker', async () => {
  const broker = await create();
  const reader = broker.trace().getReader();
  const end = await broker.subscribe('t', () => {});
  const first = await reader.read();
  expect(first.value?.name).toBe('packet');
  end();
  await reader.cancel();
  const open = broker.trace().getReader();
  await broker.close();
  for (const ended of [open, broker.trace().getReader()]) {
    let last = await ended.read();
    while (!last.done) last = await ended.read();
    expect(last.value).toBeUndefined();
  }
});

test('closing tells everybody, any number of times', async () => {
  const broker = await create();
  const socket = broker.websocket();
  await next(socket, 'open');
  socket.send(connect('a'));
  await broker.idle();
  const closed = next<CloseEvent>(socket, 'close');
  await Promise.all([broker.close(), broker.close()]);
  expect(await closed).toMatchObject({ code: 1000 });
  await broker[Symbol.asyncDispose]();
  const late = broker.websocket();
  expect(await next<CloseEvent>(late, 'close')).toMatchObject({ code: 1006 });
  for (const call of [() => broker.digest(), () => broker.port(), () => broker.inspect(), () => broker.publish('t')]) {
    expect(call).toThrow(/^wasmqtt: this broker is closed$/);
  }
});
