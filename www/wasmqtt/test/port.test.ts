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

test('packets that are just posted are answered, joined or one by one', async () => {
  const broker = await create();
  const port = broker.port();
  const { bytes, others } = collect(port);
  port.postMessage(new Uint8Array([...connect('a'), ...SUBSCRIBE]).buffer);
  port.postMessage(publish(1));
  await vi.waitFor(() => expect(bytes).toEqual([...CONNACK, ...SUBACK, ...publish(1)]));
  expect(others).toEqual([expect.objectContaining({ wasmqtt: 1, protocols: ['mqtt', 'mqttv3.1'] })]);
});

test('a client that answers the hello has a socket like any other', async () => {
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

test('a client that stops to say what it took gets no more than its credit', async () => {
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

test('a lock that is free again is the end of its client', async () => {
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

test('without locks a client that gives no sign of life is gone after three', async () => {
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

test('a port of another version is refused', async () => {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  const socket = connectPort(port2, 'mqtt', { locks: null });
  const closed = next<CloseEvent>(socket, 'close');
  port1.postMessage({ wasmqtt: 99, protocols: ['mqtt'], heartbeatMs: 1, lock: false });
  expect(await closed).toMatchObject({ code: 1006, wasClean: false });
});
