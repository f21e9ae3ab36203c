/** The WebSocket of a bridge, without MQTT: how it opens or does not, what may wait in it, how it ends. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Dial, type WebSocketLike } from '../src/dial.js';
import type { Engine } from '../src/engine.js';

/** A WebSocket that does what the test says. */
class FakeSocket implements WebSocketLike {
  binaryType = 'blob';
  readyState = 1;
  bufferedAmount = 0;
  onopen: WebSocketLike['onopen'] = null;
  onmessage: WebSocketLike['onmessage'] = null;
  onerror: WebSocketLike['onerror'] = null;
  onclose: WebSocketLike['onclose'] = null;
  closed = false;
  readonly url: string;
  readonly protocols: string[];
  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
    socket = this;
  }
  send({ length }: Uint8Array): void {
    this.bufferedAmount += length;
  }
  close(): void {
    this.closed = true;
  }
  say(name: 'open' | 'message' | 'error' | 'close', event: object = {}): void {
    (this[`on${name}`] as ((event: object) => void) | null)?.(event);
  }
}
let socket: FakeSocket;

const ID = { slot: 3, generation: 1 };
const ADDRESS = 'ws://remote.invalid/mqtt';
/** The most that may be under way. */
let credit: number;
const engine = {
  dialled: vi.fn((_link: unknown, _bridge: number, _address: string, bytes: number) => {
    credit = bytes;
    return ID;
  }),
  received: vi.fn(),
  unreadBytes: vi.fn(() => 0),
  taken: vi.fn(),
  gone: vi.fn(),
};
const told = { opened: vi.fn(), failed: vi.fn(), gone: vi.fn() };
const dial = (webSocket: unknown = FakeSocket) =>
  new Dial(engine as unknown as Engine, 7, ADDRESS, webSocket as typeof FakeSocket, told);
const open = () => {
  const one = dial();
  socket.say('open');
  return one;
};

describe('a dial', () => {
  beforeEach(() => {
    vi.clearAllMocks();
    engine.unreadBytes.mockReturnValue(0);
  });

  test('asks for MQTT in binary, and is a link once it is open', () => {
    dial();
    expect([socket.url, socket.protocols, socket.binaryType]).toEqual([ADDRESS, ['mqtt'], 'arraybuffer']);
    expect(engine.dialled).not.toHaveBeenCalled();
    socket.say('open');
    expect(engine.dialled).toHaveBeenCalledWith(expect.any(Dial), 7, ADDRESS, expect.any(Number));
    expect(told.opened).toHaveBeenCalledExactlyOnceWith(ID);
    socket.say('message', { data: Uint8Array.of(1, 2).buffer });
    expect(engine.received).toHaveBeenCalledExactlyOnceWith(ID, Uint8Array.of(1, 2));
    socket.say('close', { code: 1006 });
    expect(engine.gone).toHaveBeenCalledExactlyOnceWith(ID);
    expect(told.gone).toHaveBeenCalledExactlyOnceWith(ID);
    expect(told.failed).not.toHaveBeenCalled();
  });

  test.each([
    ['what the WebSocket says', { message: 'connect ECONNREFUSED' }, 'connect ECONNREFUSED'],
    ['the code, where it says nothing', {}, 'the WebSocket was closed with code 1006 before it was open'],
  ])('that leads nowhere says so once, with %s', (_, error, why) => {
    dial();
    socket.say('error', error);
    socket.say('close', { code: 1006 });
    socket.say('close', { code: 1006 });
    expect(told.failed).toHaveBeenCalledExactlyOnceWith(why);
    expect(engine.gone).not.toHaveBeenCalled();
  });

  test('whose WebSocket can not even be made is told so in a later task', async () => {
    const why = new Promise((resolve) => told.failed.mockImplementationOnce(resolve));
    dial(
      class {
        constructor() {
          throw new DOMException('mixed content', 'SecurityError');
        }
      },
    );
    expect(told.failed).not.toHaveBeenCalled();
    expect(await why).toMatch(/mixed content/);
  });

  test('that is given up opens nothing any more', () => {
    const one = dial();
    one.cut();
    expect(socket.closed).toBe(true);
    socket.say('open');
    socket.say('error');
    socket.say('close', { code: 1006 });
    expect(engine.dialled).not.toHaveBeenCalled();
    expect(told.failed).not.toHaveBeenCalled();
  });

  test('that the broker is done with is closed, and says nothing more', () => {
    const one = open();
    one.close();
    expect(socket.closed).toBe(true);
    socket.say('message', { data: new ArrayBuffer(1) });
    socket.say('close', { code: 1000 });
    expect(engine.received).not.toHaveBeenCalled();
    expect(engine.gone).not.toHaveBeenCalled();
    expect(told.gone).toHaveBeenCalledExactlyOnceWith(ID);
  });

  test('lets more be sent only when the WebSocket has sent what it has', async () => {
    const one = open();
    const half = credit / 2;
    one.deliver(new Uint8Array(half));
    one.deliver(new Uint8Array(half));
    expect(engine.taken).not.toHaveBeenCalled();
    const taken = new Promise((resolve) => engine.taken.mockImplementationOnce((_, bytes) => resolve(bytes)));
    socket.bufferedAmount -= half + 10;
    expect(await taken).toBe(half + 10);
    // What a WebSocket frames its messages with is nothing that it was given.
    socket.bufferedAmount = credit;
    one.deliver(new Uint8Array(10));
    expect(engine.taken).toHaveBeenCalledOnce();
    socket.bufferedAmount = 0;
    socket.say('message', { data: new ArrayBuffer(1) });
    expect(engine.taken).toHaveBeenLastCalledWith(ID, half);
  });

  test('whose WebSocket is being closed is sent nothing any more', () => {
    const one = open();
    socket.readyState = 2;
    one.deliver(new Uint8Array(10));
    expect(socket.bufferedAmount).toBe(0);
  });

  test.each([
    ['text is no MQTT [5:MQTT-6.0.0-1]', 'hello', 0],
    ['of what the broker can not take there is a bound', new ArrayBuffer(1), 17 << 20],
  ])('ends a connection: %s', (_, data, unread) => {
    open();
    engine.unreadBytes.mockReturnValue(unread);
    socket.say('message', { data });
    expect(socket.closed).toBe(true);
    expect(engine.gone).toHaveBeenCalledExactlyOnceWith(ID);
  });

  test('that is not answered is given up', async () => {
    vi.useFakeTimers();
    vi.resetModules();
    try {
      const { Dial: Again } = await import('../src/dial.js');
      new Again(engine as unknown as Engine, 7, ADDRESS, FakeSocket, told);
      vi.advanceTimersByTime(29_999);
      expect(told.failed).not.toHaveBeenCalled();
      vi.advanceTimersByTime(1);
      expect(told.failed).toHaveBeenCalledExactlyOnceWith('no answer within 30 s');
      expect(socket.closed).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});
