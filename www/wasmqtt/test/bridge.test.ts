/** Bridges from a broker in the page to a remote, over real WebSockets: what a page asks for, hears and gets. */
import { EventEmitter } from 'node:events';
import type mqtt from 'mqtt';
import { afterEach, expect, test } from 'vitest';
import type { BridgeEvent, BridgeOptions, Broker, Message, PacketEvent } from '../src/exports.js';
import { create, mqttjs } from './core.js';
import { bridgeEvents, over, pageRemote, type Remote } from './remote.js';

const remotes: Remote[] = [];
/** A second broker of this package behind a listener. */
const elsewhere = async (broker: Broker): Promise<Remote> => {
  const remote = await pageRemote(broker);
  remotes.push(remote);
  return remote;
};
afterEach(async () => {
  for (const remote of remotes.splice(0)) await remote.close();
});

/** What comes to a subscription of the page, and a wait for so many messages. */
async function hearing(broker: Broker, filter = '#') {
  const messages: Message[] = [];
  const came = new EventEmitter();
  await broker.subscribe(filter, (message) => came.emit('more', messages.push(message)), { qos: 2 });
  const until = async (count: number) => {
    while (messages.length < count) await new Promise((resolve) => came.once('more', resolve));
    return texts();
  };
  const text = new TextDecoder();
  const texts = () => messages.map(({ topic, qos, retain, payload }) => [topic, text.decode(payload), qos, retain]);
  return { until, texts };
}

/** MQTT.js connected to a broker of the page. */
const client = (broker: Broker, options: mqtt.IClientOptions = {}) =>
  mqttjs(broker, { protocolVersion: 5, ...options });

test.each(['5.0', '3.1.1'] as const)(
  'messages of every QoS go both ways, with %s, under their names',
  async (version) => {
    const [near, far] = [await create(), await create()];
    const remote = await elsewhere(far);
    far.publish('site/kept', 'there', { retain: true, qos: 1 });
    near.publish('kept', 'here', { retain: true, qos: 1 });
    const events = bridgeEvents(near);
    const topics = [{ filter: '#', direction: 'both', remotePrefix: 'site/' } as const];
    const bridge = await near.bridge(over(remote.url, { version, topics }));
    expect(bridge.name).toBe('remote');
    expect(await events.next('up')).toEqual({ type: 'up', name: 'remote', sessionPresent: false, keepAliveS: 60 });
    const [here, there] = [await hearing(near), await hearing(far)];
    await here.until(1);
    await there.until(1);
    for (const qos of [0, 1, 2] as const) {
      near.publish('out', `${qos}`, { qos });
      far.publish('site/in', `${qos}`, { qos });
      far.publish('elsewhere', `${qos}`, { qos });
    }
    await here.until(7);
    await there.until(10);
    const of = (texts: unknown[][], wanted: string) => texts.filter(([topic]) => topic === wanted);
    expect(of(here.texts(), 'in')).toEqual([0, 1, 2].map((qos) => ['in', `${qos}`, qos, false]));
    expect(of(there.texts(), 'site/out')).toEqual([0, 1, 2].map((qos) => ['site/out', `${qos}`, qos, false]));
    // Retained Messages cross when the two meet; nothing comes back, and nothing that is none of ours.
    for (const topic of ['kept', 'there']) expect(of(here.texts(), topic)).toHaveLength(topic === 'kept' ? 2 : 0);
    expect(near.inspect().retained.map(({ topic }) => topic)).toEqual(['kept']);
    expect(here.texts().map(([topic]) => topic)).not.toContain('elsewhere');
    const view = near.inspect();
    expect(view.bridges).toEqual([
      { name: 'remote', url: remote.url, clientIdentifier: '$bridge/remote', state: 'up' },
    ]);
    expect(view.sessions.find((session) => session.clientIdentifier === '$bridge/remote')).toMatchObject({ version });
    expect(far.inspect('page')).toMatchObject({ connected: true, version });
  },
);

test('while the remote is away messages wait, and none is lost or doubled when it is back', async () => {
  const [near, far] = [await create(), await create()];
  const remote = await elsewhere(far);
  const events = bridgeEvents(near);
  await near.bridge(over(remote.url));
  await events.next('up');
  const [here, there] = [await hearing(near, 'in/#'), await hearing(far, 'out/#')];
  await remote.kill();
  const lost = (await events.next('down')) as BridgeEvent & { dialsAt: number };
  expect(lost).toMatchObject({ why: 'lost', dialsAt: expect.any(Number) });
  expect(lost.dialsAt - near.now()).toBeLessThanOrEqual(50);
  const failed = await events.next('down');
  expect(failed).toMatchObject({ why: 'dial-failed', text: expect.stringContaining('ECONNREFUSED') });
  for (const qos of [1, 2] as const) {
    near.publish('out/x', `${qos}`, { qos });
    far.publish('in/x', `${qos}`, { qos });
  }
  expect(near.inspect('$bridge/remote')?.queue.map(({ topic, qos }) => [topic, qos])).toEqual([
    ['out/x', 1],
    ['out/x', 2],
  ]);
  await remote.start();
  expect(await events.next('up')).toMatchObject({ sessionPresent: true });
  await Promise.all([here.until(2), there.until(2)]);
  await near.idle();
  await far.idle();
  expect(here.texts()).toEqual([1, 2].map((qos) => ['in/x', `${qos}`, qos, false]));
  expect(there.texts()).toEqual([1, 2].map((qos) => ['out/x', `${qos}`, qos, false]));
});

test('it dials again ever later, and says when', async () => {
  const near = await create({ clock: 'manual', seed: 1 });
  let dials = 0;
  class Refused {
    constructor() {
      dials += 1;
      throw new Error('no network');
    }
  }
  const events = bridgeEvents(near);
  const webSocket = Refused as unknown as NonNullable<BridgeOptions['webSocket']>;
  await near.bridge(over('ws://remote.invalid/', { webSocket, redialMinMs: 1_000, redialMaxMs: 4_000 }));
  for (const longest of [1_000, 2_000, 4_000, 4_000]) {
    const down = await events.next('down');
    expect(down).toMatchObject({ why: 'dial-failed', text: 'Error: no network', name: 'remote' });
    const wait = ((down as { dialsAt?: number }).dialsAt ?? 0) - near.now();
    expect(wait).toBeGreaterThanOrEqual(longest / 2);
    expect(wait).toBeLessThanOrEqual(longest);
    const before = dials;
    await near.advance(wait - 1);
    expect(near.inspect().bridges[0]).toMatchObject({ state: 'waiting', dialsAt: expect.any(Number) });
    expect(dials).toBe(before);
    await near.advance(1);
    expect(dials).toBe(before + 1);
  }
});

test('two bridges with the same topics both ways do not loop', async () => {
  const [one, two] = [await create(), await create()];
  const remotes = [await elsewhere(one), await elsewhere(two)] as const;
  const events = [bridgeEvents(one), bridgeEvents(two)] as const;
  await one.bridge(over(remotes[1].url, { hopsMax: 1, clientIdentifier: 'one' }));
  await two.bridge(over(remotes[0].url, { hopsMax: 1, clientIdentifier: 'two' }));
  await Promise.all(events.map(({ next }) => next('up')));
  const heard = [await hearing(one), await hearing(two)] as const;
  for (const qos of [0, 1, 2] as const) {
    one.publish('t', `one ${qos}`, { qos });
    two.publish('t', `two ${qos}`, { qos });
  }
  // Its own three, and the other's over both bridges.
  await Promise.all(heard.map(({ until }) => until(9)));
  await one.idle();
  await two.idle();
  // What goes round would come before what is published now.
  for (const broker of [one, two]) broker.publish('last', '', { qos: 2 });
  await Promise.all(heard.map(({ until }) => until(12)));
  await one.idle();
  await two.idle();
  for (const { texts } of heard) expect(texts()).toHaveLength(12);
  expect(one.counters().bridgeLoops + two.counters().bridgeLoops).toBeGreaterThan(0);
});

test('a Will crosses a bridge', async () => {
  const [near, far] = [await create(), await create()];
  const remote = await elsewhere(far);
  const events = bridgeEvents(near);
  await near.bridge(over(remote.url));
  await events.next('up');
  const there = await hearing(far, 'status/#');
  const will = { topic: 'status/phone', payload: Buffer.from('gone'), qos: 1 as const, retain: true };
  const phone = await client(near, { will, clientId: 'phone' });
  phone.stream.destroy();
  expect(await there.until(1)).toEqual([['status/phone', 'gone', 1, true]]);
  expect(far.inspect().retained.map(({ topic }) => topic)).toEqual(['status/phone']);
  await phone.endAsync(true);
});

test('a remote that says no is told of, with its Reason Code; a topic that it does not give, too', async () => {
  const near = await create();
  let open = false;
  const far = await create({
    auth: ({ userName, password }) => {
      if (!open) return { allow: false, reason: 0x86 };
      return userName === 'u' && new TextDecoder().decode(password) === 'p';
    },
    permissions: { subscribe: { allow: ['open/#'] } },
  });
  const remote = await elsewhere(far);
  const events = bridgeEvents(near);
  const topics = [
    { filter: 'open/#', direction: 'in' },
    { filter: 'closed/#', direction: 'in' },
  ] as const;
  await near.bridge(over(remote.url, { topics: [...topics], userName: 'u', password: 'p' }));
  expect(await events.next('down')).toMatchObject({ why: 'refused', code: 0x86, dialsAt: expect.any(Number) });
  open = true;
  await events.next('up');
  expect(await events.next('topic-refused')).toEqual({
    type: 'topic-refused',
    name: 'remote',
    filter: 'closed/#',
    code: 0x87,
  });
});

test('a bridge that is removed is gone, here and at the remote', async () => {
  const [near, far] = [await create(), await create()];
  const remote = await elsewhere(far);
  const events = bridgeEvents(near);
  const bridge = await near.bridge(over(remote.url));
  await events.next('up');
  expect(bridge.remove()).toBe(true);
  expect(await events.next('down')).toEqual({ type: 'down', name: 'remote', why: 'removed', code: 0 });
  expect(near.inspect()).toEqual({ bridges: [], sessions: [], retained: [] });
  expect(bridge.remove()).toBe(false);
  const gone = new Promise<void>((resolve) => far.on('session', ({ type }) => type === 'ended' && resolve()));
  if (far.inspect('page') !== undefined) await gone;
  expect(far.inspect('page')).toBeUndefined();
});

test('the same bridge again changes nothing, with other options it begins anew', async () => {
  const [near, far] = [await create(), await create()];
  const remote = await elsewhere(far);
  const events = bridgeEvents(near);
  await near.bridge(over(remote.url));
  await events.next('up');
  await near.bridge(over(remote.url));
  expect(near.counters().bridgeDials).toBe(1);
  await near.bridge(over(remote.url, { keepAliveS: 7 }));
  expect(await events.next('down')).toMatchObject({ why: 'removed' });
  expect(await events.next('up')).toMatchObject({ sessionPresent: true, keepAliveS: 7 });
  expect(near.inspect().bridges).toHaveLength(1);
});

test('a bridge without names has one of its address here, and one of its own there for an hour', async () => {
  const [near, far] = [await create(), await create()];
  const remote = await elsewhere(far);
  const events = bridgeEvents(near);
  const { name: _, clientIdentifier, ...options } = over(remote.url);
  const bridge = await near.bridge(options);
  await events.next('up');
  expect(bridge.name).toBe(new URL(remote.url).host);
  const [session] = far.inspect().sessions;
  expect(session).toMatchObject({
    clientIdentifier: expect.stringMatching(/^wasmqtt-[0-9a-z]{10}$/),
    sessionExpiryIntervalS: 3_600,
  });
  // The same again is the same bridge.
  expect((await near.bridge(options)).options.clientIdentifier).toBe(session?.clientIdentifier);
  expect(near.counters().bridgeDials).toBe(1);
});

test('a broker that is closed leaves its remote as MQTT says, and what lasts there stays', async () => {
  const [near, far] = [await create(), await create()];
  const remote = await elsewhere(far);
  const events = bridgeEvents(near);
  await near.bridge(over(remote.url));
  await events.next('up');
  const left = new Promise((resolve) => {
    far.on('connection', (event) => event.type === 'disconnected' && resolve(event));
  });
  await near.close();
  expect(await left).toMatchObject({ clientIdentifier: 'page', code: 0, sessionKept: true });
  await expect(near.bridge(over(remote.url))).rejects.toThrow(/closed/);
});

test('packets of a bridge are told as its own', async () => {
  const [near, far] = [await create(), await create()];
  const remote = await elsewhere(far);
  const events = bridgeEvents(near);
  const packets: PacketEvent[] = [];
  near.on('packet', (event) => packets.push(event));
  await near.bridge(over(remote.url));
  await events.next('up');
  expect(packets.map(({ name, from, clientIdentifier }) => [name, from, clientIdentifier]).slice(0, 2)).toEqual([
    ['CONNECT', 'broker', '$bridge/remote'],
    ['CONNACK', 'remote', '$bridge/remote'],
  ]);
});

test('bridges of a snapshot go on, those of the page with the WebSocket that it gave', async () => {
  const [near, far] = [await create(), await create()];
  const remote = await elsewhere(far);
  const events = bridgeEvents(near);
  await near.bridge(over(remote.url));
  await events.next('up');
  const there = await hearing(far, 'out');
  const snapshot = near.snapshot();
  near.restore(snapshot);
  expect(await events.next('up')).toMatchObject({ sessionPresent: true });
  near.publish('out', '1', { qos: 1 });
  await there.until(1);
  await near.close();
  // Another page, which knows nothing of bridges yet.
  const other = await create();
  const more = bridgeEvents(other);
  other.restore(snapshot);
  expect(other.inspect().bridges).toMatchObject([{ name: 'remote', url: remote.url }]);
  await other.bridge(over(remote.url));
  expect(await more.next('up')).toMatchObject({ sessionPresent: true });
  other.publish('out', '2', { qos: 1 });
  expect(await there.until(2)).toEqual(['1', '2'].map((text) => ['out', text, 1, false]));
});

test.each<[Partial<Record<keyof BridgeOptions | 'urls', unknown>>, RegExp]>([
  [{ url: 'http://x' }, /^url: found "http:\/\/x"; allowed: an address such as 'wss:\/\/broker.example\/mqtt'$/],
  [{ url: undefined }, /^url: found undefined; allowed: /],
  [{ urls: 1 }, /^urls: there is no such option; allowed: url, topics, /],
  [{ topics: 'a' }, /^topics: found "a"; allowed: a list of/],
  [{ topics: [{ filter: 7, direction: 'in' }] }, /^topics\[0\].filter: found 7; allowed: a Topic Filter$/],
  [{ topics: [{ filter: 'a' }] }, /^topics\[0\].direction: found undefined; allowed: 'in', 'out' or 'both'$/],
  [{ topics: [{ filter: 'a', direction: 'in', qos: 3 }] }, /^topics\[0\].qos: found 3; allowed: /],
  [{ topics: [{ filter: 'a', direction: 'in', prefix: 'x' }] }, /^topics\[0\].prefix: there is no such option/],
  [
    {
      topics: [
        { filter: 'a', direction: 'in' },
        { filter: 'a/#/b', direction: 'in' },
      ],
    },
    /^topics\[1\]: found {"filter":"a\/#\/b".*; allowed: filter, localPrefix \+ filter and remotePrefix \+ filter must/,
  ],
  [{ name: 'a/b' }, /^name: found "a\/b"; allowed: 1 to 255 bytes without/],
  [{ clientIdentifier: '' }, /^clientIdentifier: found ""; allowed: 1 to 65535 bytes/],
  [{ userName: 'a\0' }, /^userName: found "a\\u0000"; allowed: /],
  [{ password: 'secret', version: '3.1.1' }, /^password: found "..."; allowed: .* not without userName$/],
  [{ password: 7 }, /^password: found "..."; allowed: a text/],
  [{ version: '3.1' }, /^version: found "3.1"; allowed: '5.0' or '3.1.1'$/],
  [{ keepAliveS: -1 }, /^keepAliveS: found -1; allowed: a whole number from 0 to 65535$/],
  [{ cleanStart: 1 }, /^cleanStart: found 1; allowed: true or false$/],
  [{ redialMinMs: 300 }, /^redialMinMs: found 300; allowed: at least 1 and at most redialMaxMs$/],
  [{ hopsMax: 256 }, /^hopsMax: found 256; allowed: a whole number from 0 to 255$/],
  [{ webSocket: 'ws' }, /^webSocket: found "ws"; allowed: a constructor/],
])('a bridge with %j is refused', async (options, message) => {
  const broker = await create();
  const adding = broker.bridge(over('ws://remote.invalid/', options as Partial<BridgeOptions>));
  await expect(adding).rejects.toThrow(message);
  await expect(adding).rejects.toBeInstanceOf(TypeError);
  expect(broker.inspect().bridges).toEqual([]);
});

test('where there is no WebSocket the option that brings one is named; a limit is no mistake of the page', async () => {
  const broker = await create({ limits: { sessionsMax: 1 } });
  if (globalThis.WebSocket === undefined) {
    const adding = broker.bridge({ url: 'ws://remote.invalid/', topics: [] });
    await expect(adding).rejects.toThrow(
      /^webSocket: found undefined; allowed: a constructor .*Node has it from 22 on/,
    );
  }
  class Never {
    close() {}
  }
  const webSocket = Never as unknown as NonNullable<BridgeOptions['webSocket']>;
  await broker.bridge(over('ws://remote.invalid/', { webSocket, name: 'a' }));
  const adding = broker.bridge(over('ws://remote.invalid/', { webSocket, name: 'b' }));
  await expect(adding).rejects.toThrow(/^wasmqtt: the bridge was refused: sessionsMax, .* reached$/);
});
