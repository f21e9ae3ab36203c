/** The socket object, rule by rule: what MQTT clients need of a WebSocket and what browsers do. */
import { expect, test, vi } from 'vitest';
import { installWebSocket } from '../src/exports.js';
import { BrokerSocket } from '../src/socket.js';
import { CONNACK, connect, create, next, publish, SUBACK, SUBSCRIBE } from './core.js';

/** An open socket with `arraybuffer`, and all bytes that came so far. */
async function open(broker: Awaited<ReturnType<typeof create>>, letter?: string) {
  const socket = broker.websocket();
  socket.binaryType = 'arraybuffer';
  const bytes: number[] = [];
  socket.addEventListener('message', (event) => bytes.push(...new Uint8Array((event as MessageEvent).data)));
  await next(socket, 'open');
  if (letter !== undefined) socket.send(connect(letter));
  return { socket, bytes };
}

test('1: `open` comes in a later task', async () => {
  const broker = await create();
  const socket = broker.createWebsocket('ws://home.invalid/mqtt', ['mqtt']);
  const opened = vi.fn();
  expect(socket.readyState).toBe(socket.CONNECTING);
  await Promise.resolve();
  expect(socket.readyState).toBe(socket.CONNECTING);
  // Attached behind a microtask and still in time.
  socket.onopen = opened;
  await next(socket, 'open');
  expect(opened).toHaveBeenCalledOnce();
  expect(socket.readyState).toBe(BrokerSocket.OPEN);
});

test('1: the hook works without its broker in front', async () => {
  const { createWebsocket } = await create();
  await next(createWebsocket('ws://home.invalid', ['mqtt']), 'open');
});

test('2: constants, handlers and listeners are those of a WebSocket', async () => {
  const broker = await create();
  const { socket } = await open(broker, 'a');
  expect([socket.CONNECTING, socket.OPEN, socket.CLOSING, socket.CLOSED]).toEqual([0, 1, 2, 3]);
  expect([BrokerSocket.CONNECTING, BrokerSocket.OPEN, BrokerSocket.CLOSING, BrokerSocket.CLOSED]).toEqual([0, 1, 2, 3]);
  const [first, second, listener] = [vi.fn(), vi.fn(), vi.fn()];
  socket.onmessage = first;
  socket.onmessage = second;
  socket.addEventListener('message', listener);
  socket.send(SUBSCRIBE);
  await broker.idle();
  expect(first).not.toHaveBeenCalled();
  expect(second).toHaveBeenCalledOnce();
  expect(second.mock.contexts[0]).toBe(socket);
  expect(listener.mock.calls[0]?.[0]).toBeInstanceOf(MessageEvent);
  socket.onmessage = null;
  expect(socket.onmessage).toBeNull();
  socket.onmessage = 7 as never;
  expect(socket.onmessage).toBeNull();
  socket.send(publish(1));
  await broker.idle();
  expect(second).toHaveBeenCalledOnce();
});

test('3: data is a whole buffer of its own', async () => {
  const broker = await create();
  const { socket } = await open(broker);
  const came = next<MessageEvent>(socket, 'message');
  socket.send(connect('a'));
  const { data } = await came;
  expect(data).toBeInstanceOf(ArrayBuffer);
  expect([...new Uint8Array(data)]).toEqual(CONNACK);
});

test('4: a Blob is given only while nobody asked for buffers', async () => {
  const broker = await create();
  const socket = broker.websocket();
  expect(socket.binaryType).toBe('blob');
  await next(socket, 'open');
  const came = next<MessageEvent>(socket, 'message');
  socket.send(connect('a'));
  const { data } = await came;
  expect(data).toBeInstanceOf(Blob);
  expect([...new Uint8Array(await data.arrayBuffer())]).toEqual(CONNACK);
  socket.binaryType = 'nonsense' as never;
  expect(socket.binaryType).toBe('blob');
});

test('5: `send` takes exactly the bytes meant, at once', async () => {
  const broker = await create();
  const { socket, bytes } = await open(broker);
  const pool = new Uint8Array(64).fill(0xff);
  pool.set(connect('a'), 10);
  socket.send(new DataView(pool.buffer, 10, 15));
  pool.fill(0);
  await broker.idle();
  expect(bytes).toEqual(CONNACK);
  socket.send(SUBSCRIBE.buffer);
  await broker.idle();
  expect(bytes).toEqual([...CONNACK, ...SUBACK]);
});

test('5: what is sent behind a Blob waits for it', async () => {
  const broker = await create();
  const { socket, bytes } = await open(broker);
  const [head, rest] = [connect('a').slice(0, 4), connect('a').slice(4)];
  socket.send(new Blob([head]));
  socket.send(rest);
  expect(socket.bufferedAmount).toBe(15);
  await vi.waitFor(() => expect(bytes).toEqual(CONNACK));
  expect(socket.bufferedAmount).toBe(0);
});

test('5: a Blob that can not be read cuts the connection, and nothing behind it is sent', async () => {
  const broker = await create();
  const { socket } = await open(broker);
  const unreadable = new Blob([connect('a')]);
  unreadable.arrayBuffer = () => Promise.reject(new DOMException('the file has changed', 'NotReadableError'));
  const closed = next<CloseEvent>(socket, 'close');
  socket.send(unreadable);
  socket.send(connect('b'));
  expect(await closed).toMatchObject({ code: 1006, wasClean: false });
  await broker.idle();
  expect(socket.bufferedAmount).toBe(0);
  expect(broker.inspect().sessions).toEqual([]);
  socket.close();
});

test('5: text ends the connection [5:MQTT-6.0.0-1]', async () => {
  const broker = await create();
  const { socket } = await open(broker, 'a');
  await broker.idle();
  const closed = next<CloseEvent>(socket, 'close');
  socket.send('hello');
  expect((await closed).code).toBe(1003);
  expect(broker.inspect().sessions).toEqual([]);
});

test.each([21, null, undefined, {}])('5: %s is sent as text, as the platform does', async (data) => {
  const broker = await create();
  const { socket } = await open(broker, 'a');
  const closed = next<CloseEvent>(socket, 'close');
  socket.send(data as never);
  expect((await closed).code).toBe(1003);
});

test('6: `send` and `close` at the wrong time do what browsers do', async () => {
  const broker = await create();
  const early = broker.websocket();
  expect(() => early.send(connect('a'))).toThrow(expect.objectContaining({ name: 'InvalidStateError' }));
  const { socket } = await open(broker, 'a');
  for (const code of [999, 1001, 2999, 5000]) {
    expect(() => socket.close(code)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }));
  }
  expect(() => socket.close(3000, 'é'.repeat(62))).toThrow(expect.objectContaining({ name: 'SyntaxError' }));
  const closed = next<CloseEvent>(socket, 'close');
  socket.close(4000, 'enough');
  expect(socket.readyState).toBe(socket.CLOSING);
  socket.send(publish(1));
  socket.close();
  expect(await closed).toMatchObject({ code: 4000, reason: 'enough', wasClean: true });
  socket.close();
  socket.send(publish(1));
  expect(socket.readyState).toBe(socket.CLOSED);
});

test('6: a socket that is closed while it connects never opens', async () => {
  const broker = await create();
  const socket = broker.websocket();
  const opened = vi.fn();
  socket.onopen = opened;
  const closed = next<CloseEvent>(socket, 'close');
  socket.close();
  expect(await closed).toMatchObject({ code: 1006, wasClean: false });
  await broker.idle();
  expect(opened).not.toHaveBeenCalled();
});

test('7: `bufferedAmount` is 0 once the broker has the bytes', async () => {
  const broker = await create();
  const { socket } = await open(broker, 'a');
  expect(socket.bufferedAmount).toBe(0);
});

test('7: `bufferedAmount` counts what the broker does not read yet, and falls', async () => {
  let decide: (verdict: boolean) => void = () => {};
  const auth = vi.fn(
    () =>
      new Promise<boolean>((resolve) => {
        decide = resolve;
      }),
  );
  const broker = await create({ auth });
  const { socket, bytes } = await open(broker, 'a');
  await vi.waitFor(() => expect(auth).toHaveBeenCalled());
  socket.send(SUBSCRIBE);
  // The broker keeps a little of what it can't look at yet, and then reads no more.
  await vi.waitFor(() => {
    socket.send(publish(1));
    expect(socket.bufferedAmount).toBeGreaterThan(0);
  });
  const before = socket.bufferedAmount;
  socket.send(publish(2));
  expect(socket.bufferedAmount).toBe(before + 6);
  decide(true);
  await broker.idle();
  expect(socket.bufferedAmount).toBe(0);
  expect(bytes.slice(0, 9)).toEqual([...CONNACK, ...SUBACK]);
  expect(bytes.slice(-6)).toEqual([...publish(2)]);
});

test('8: packets may be split and joined in any way', async () => {
  const broker = await create();
  const stream = [...connect('a'), ...SUBSCRIBE, ...publish(1), ...publish(2)];
  const answer = [...CONNACK, ...SUBACK, ...publish(1), ...publish(2)];
  for (let piece = 1; piece <= stream.length; piece += 1) {
    const { socket, bytes } = await open(broker);
    for (let at = 0; at < stream.length; at += piece) {
      socket.send(new Uint8Array(stream.slice(at, at + piece)));
      if (piece % 2 === 1) await broker.idle();
    }
    await broker.idle();
    expect(bytes).toEqual(answer);
    socket.close();
  }
});

test('9: the subprotocol is the first offered that is MQTT; none is refused unless allowed', async () => {
  const broker = await create();
  for (const [offered, agreed] of [
    ['mqtt', 'mqtt'],
    [['mqttv3.1'], 'mqttv3.1'],
    [['chat', 'mqttv3.1', 'mqtt'], 'mqttv3.1'],
  ] as const) {
    const socket = broker.createWebsocket('ws://home.invalid', offered);
    await next(socket, 'open');
    expect(socket.protocol).toBe(agreed);
  }
  for (const offered of [[], ['chat'], undefined]) {
    const socket = broker.createWebsocket('ws://home.invalid', offered);
    expect(await next<CloseEvent>(socket, 'close')).toMatchObject({ code: 1006, wasClean: false });
  }
  const lenient = await create({ allowNoSubprotocol: true });
  await next(lenient.createWebsocket('ws://home.invalid'), 'open');
  expect(() => broker.createWebsocket('ws://home.invalid', ['mqtt', 'mqtt'])).toThrow(
    expect.objectContaining({ name: 'SyntaxError' }),
  );
  expect(() => broker.websocket(7 as never)).toThrow(
    new TypeError('protocols: found 7; allowed: a subprotocol, or a list of them'),
  );
});

test('10: the broker closes with 1000, a cut is an error and 1006', async () => {
  const broker = await create();
  const { socket } = await open(broker, 'a');
  const closed = next<CloseEvent>(socket, 'close');
  const failed = vi.fn();
  socket.onerror = failed;
  // A second CONNECT breaks [311:MQTT-3.1.0-2].
  socket.send(connect('a'));
  expect(await closed).toMatchObject({ code: 1000, wasClean: true });
  expect(failed).not.toHaveBeenCalled();
  const cut = await open(broker, 'b');
  const events: string[] = [];
  cut.socket.onerror = () => events.push('error');
  cut.socket.onclose = ({ code, wasClean }) => events.push(`close ${code} ${wasClean}`);
  broker.restore(broker.snapshot());
  expect(events).toEqual(['error', 'close 1006 false']);
});

test('11: only addresses that match lead into the broker', async () => {
  const real = globalThis.WebSocket;
  const asked: unknown[] = [];
  class Real {
    static readonly OPEN = 1;
    constructor(...args: unknown[]) {
      asked.push(args);
    }
  }
  globalThis.WebSocket = Real as never;
  try {
    const broker = await create();
    const uninstall = installWebSocket(broker, { match: 'ws://home.invalid/*' });
    const ours = new WebSocket('ws://HOME.invalid/mqtt', 'mqtt');
    expect(ours).toBeInstanceOf(BrokerSocket);
    expect(ours).toBeInstanceOf(WebSocket);
    await next(ours, 'open');
    expect(new WebSocket('wss://example.org/mqtt', ['mqtt'])).toBeInstanceOf(Real);
    expect(new WebSocket('ws://home.invalid.example.org/')).toBeInstanceOf(Real);
    expect(asked).toEqual([['wss://example.org/mqtt', ['mqtt']], ['ws://home.invalid.example.org/']]);
    expect(WebSocket.OPEN).toBe(1);
    uninstall();
    expect(globalThis.WebSocket).toBe(Real);
    expect(() => installWebSocket(broker, { match: 7 as never })).toThrow(/^match: found 7; allowed: /);
  } finally {
    globalThis.WebSocket = real;
  }
});
