/** Rule 12: MQTT over a MessagePort, for clients that know our protocol and for those that only post packets. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connectPort } from '../src/exports.js';
import { CONNACK, connect, create, next, publish, SUBACK, SUBSCRIBE } from './core.js';
import { FakeLocks } from './fakes/locks.js';

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});
beforeEach(() => {
  vi.useRealTimers();
});

/** Everything that comes at this end: bytes joined, other messages as they are. */
function collect(port: MessagePort) {
  ports.push(port);
  const bytes: number[] = [];
  const others: unknown[] = [];
  port.onmessage = ({ data }) => {
    if (data instanceof ArrayBuffer) for (const byte of new Uint8Array(data)) bytes.push(byte);
    else others.push(data);
  };
  return { bytes, others };
}

test('12: packets that are just posted are answered, joined or one by one', async () => {
  const broker = await create();
  const port = broker.port();
  const { bytes, others } = collect(port);
  port.postMessage(new Uint8Array([...connect('a'), ...SUBSCRIBE]).buffer);
  port.postMessage(publish(1));
  await vi.waitFor(() => expect(bytes).toEqual([...CONNACK, ...SUBACK, ...publish(1)]));
  expect(others).toEqual([
    { wasmqtt: 1, protocols: ['mqtt', 'mqttv3.1'], credit: 1 << 20, heartbeatMs: 5_000, lock: null },
  ]);
});

test('12: a client that answers the hello has a socket like any other', async () => {
  const broker = await create();
  const port = broker.port({ locks: null });
  ports.push(port);
  const socket = connectPort(port, ['mqtt'], { locks: null });
  socket.binaryType = 'arraybuffer';
  await next(socket, 'open');
  expect(socket.protocol).toBe('mqtt');
  const came = next<MessageEvent>(socket, 'message');
  socket.send(connect('a'));
  expect([...new Uint8Array((await came).data)]).toEqual(CONNACK);
  const closed = next<CloseEvent>(socket, 'close');
  broker.kick('a');
  expect(await closed).toMatchObject({ code: 1000, wasClean: true });
});

test('12: a client that stops to say what it took gets no more than its credit', async () => {
  const broker = await create();
  const port = broker.port({ locks: null });
  const { bytes } = collect(port);
  port.postMessage({ wasmqtt: 1, protocol: 'mqtt', lock: null });
  port.postMessage(new Uint8Array([...connect('a'), ...SUBSCRIBE]).buffer);
  await vi.waitFor(() => expect(bytes.length).toBe(9));
  const payload = 'x'.repeat(1 << 18);
  for (let sent = 0; sent < 16; sent += 1) broker.publish('t', payload);
  await broker.idle();
  await vi.waitFor(() => expect(bytes.length).toBeGreaterThan(1 << 19));
  await broker.idle();
  expect(bytes.length).toBeLessThanOrEqual(1 << 20);
  const before = bytes.length;
  port.postMessage({ taken: before });
  await vi.waitFor(() => expect(bytes.length).toBeGreaterThan(before));
});

test('12: a lock that is free again is the end of its client', async () => {
  const locks = new FakeLocks();
  const broker = await create();
  const gone = new Promise((resolve) =>
    broker.on('connection', (event) => event.type === 'disconnected' && resolve(event)),
  );
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  broker.accept(port1, { locks: locks.of('host') as never });
  const socket = connectPort(port2, 'mqtt', { locks: locks.of('tab') as never });
  await next(socket, 'open');
  socket.send(connect('a'));
  await vi.waitFor(() => expect(broker.inspect('a')?.connected).toBe(true));
  locks.kill('tab');
  expect(await gone).toEqual({ type: 'disconnected', clientIdentifier: 'a', sessionKept: false });
});

test('12: a lock that is free again is the end of the broker', async () => {
  const locks = new FakeLocks();
  const broker = await create();
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  broker.accept(port1, { locks: locks.of('host') as never });
  const socket = connectPort(port2, 'mqtt', { locks: locks.of('tab') as never });
  await next(socket, 'open');
  const closed = next<CloseEvent>(socket, 'close');
  locks.kill('host');
  expect(await closed).toMatchObject({ code: 1006, wasClean: false });
});

test('12: sides that see different locks give signs of life', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const broker = await create();
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  broker.accept(port1, { locks: new FakeLocks().of('host') as never, heartbeatMs: 1_000 });
  const socket = connectPort(port2, 'mqtt', { locks: new FakeLocks().of('frame') as never });
  await next(socket, 'open');
  socket.send(connect('a'));
  await vi.waitFor(() => expect(broker.inspect('a')?.connected).toBe(true));
  const closed = next<CloseEvent>(socket, 'close');
  // The other side is there and says nothing more, as a page does that died.
  port1.onmessage = null;
  vi.advanceTimersByTime(4_000);
  expect(await closed).toMatchObject({ code: 1006, wasClean: false });
});

test('12: what the broker does not take waits with the client, which says so', async () => {
  let decide: (verdict: boolean) => void = () => {};
  const verdict = new Promise<boolean>((resolve) => {
    decide = resolve;
  });
  const broker = await create({ auth: () => verdict });
  const port = broker.port({ locks: null });
  ports.push(port);
  const socket = connectPort(port, 'mqtt', { locks: null });
  const received = () => broker.counters().publishesReceived;
  await next(socket, 'open');
  socket.send(connect('a'));
  expect(socket.bufferedAmount).toBe(0);
  // PUBLISH to "t" of 3 + 1,048,576 bytes.
  const packet = new Uint8Array(1 + 3 + 3 + (1 << 20));
  packet.set([0x30, 0x83, 0x80, 0x40, 0, 1, 0x74]);
  for (let sent = 0; sent < 3; sent += 1) socket.send(packet);
  // One MiB is under way, with the CONNECT in it.
  expect(socket.bufferedAmount).toBe(3 * packet.length + 15 - (1 << 20));
  decide(true);
  await vi.waitFor(() => expect(socket.bufferedAmount).toBe(0));
  await vi.waitFor(() => expect(received()).toBe(3));
  // What waits is sent before the end.
  for (let sent = 0; sent < 3; sent += 1) socket.send(packet);
  socket.close();
  await vi.waitFor(() => expect(received()).toBe(6));
  await vi.waitFor(() => expect(broker.inspect('a')).toBeUndefined());
});

test('12: without locks a client that gives no sign of life is gone after three', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const broker = await create();
  const port = broker.port({ locks: null, heartbeatMs: 1_000 });
  const { bytes, others } = collect(port);
  port.postMessage({ wasmqtt: 1, protocol: 'mqtt', lock: null });
  port.postMessage(connect('a').buffer);
  await vi.waitFor(() => expect(bytes).toEqual(CONNACK));
  for (let beat = 0; beat < 3; beat += 1) {
    vi.advanceTimersByTime(1_000);
    port.postMessage({ alive: true });
    await vi.waitFor(() => expect(others.filter((other) => (other as { alive?: true }).alive)).toHaveLength(beat + 1));
  }
  await broker.idle();
  expect(broker.inspect('a')?.connected).toBe(true);
  vi.advanceTimersByTime(4_000);
  await vi.waitFor(() => expect(broker.inspect('a')).toBeUndefined());
});

test('12: a port of another version is refused', async () => {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  const socket = connectPort(port2, 'mqtt', { locks: null });
  const closed = next<CloseEvent>(socket, 'close');
  port1.postMessage({ wasmqtt: 99, protocols: ['mqtt'], credit: 1, heartbeatMs: 1, lock: null });
  expect(await closed).toMatchObject({ code: 1006, wasClean: false });
});
