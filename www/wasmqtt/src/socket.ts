/**
 * A socket that looks and behaves like the browser's WebSocket and leads into a broker in this page, so that an MQTT
 * client needs no change. It follows the WHATWG standard where clients can tell: constants on class and instance, `on*`
 * and `addEventListener`, errors of `send` and `close`, the order of events.
 */

/** What carries a socket's bytes. */
export interface Carrier {
  /** Takes a copy of these bytes at once. */
  send(bytes: Uint8Array): void;
  /** Bytes that were sent and not yet taken by the broker. */
  buffered(): number;
  /** The client closes, or has closed before it was open. */
  end(): void;
}

/** What a carrier tells its socket. */
export interface Carried {
  /** The connection is open, with this subprotocol. */
  open(protocol: string): void;
  /** Bytes of the broker; the socket keeps them. */
  message(bytes: Uint8Array<ArrayBuffer>): void;
  /** It is over: `clean` if somebody closed it, else it was cut. */
  closed(code: number, reason: string, clean: boolean): void;
}

/** Connects a new socket, in a later task: nobody has had time to attach a handler before. */
export type Connect = (socket: Carried, protocols: readonly string[]) => Carrier;

type Handler<E extends Event> = ((this: BrokerSocket, event: E) => unknown) | null;

/** The `close` event where the platform has none. */
class OwnCloseEvent extends Event {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  constructor(type: string, { code = 0, reason = '', wasClean = false }: CloseEventInit) {
    super(type);
    this.code = code;
    this.reason = reason;
    this.wasClean = wasClean;
  }
}

const closeEvent = (init: CloseEventInit): Event =>
  typeof CloseEvent === 'function' ? new CloseEvent('close', init) : new OwnCloseEvent('close', init);

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** What only `Ears` and `call` may. */
let hear: {
  open(socket: BrokerSocket, protocol: string): void;
  message(socket: BrokerSocket, bytes: Uint8Array<ArrayBuffer>): void;
  closed(socket: BrokerSocket, code: number, reason: string, clean: boolean): void;
  event(socket: BrokerSocket, event: Event): void;
};

/** What a carrier tells a socket: no business of those who hold the socket. */
class Ears implements Carried {
  #socket: BrokerSocket;
  constructor(socket: BrokerSocket) {
    this.#socket = socket;
  }
  open(protocol: string): void {
    hear.open(this.#socket, protocol);
  }
  message(bytes: Uint8Array<ArrayBuffer>): void {
    hear.message(this.#socket, bytes);
  }
  closed(code: number, reason: string, clean: boolean): void {
    hear.closed(this.#socket, code, reason, clean);
  }
}

/** A socket into a broker; usable wherever a WebSocket is. */
export class BrokerSocket extends EventTarget {
  static readonly CONNECTING = CONNECTING;
  static readonly OPEN = OPEN;
  static readonly CLOSING = CLOSING;
  static readonly CLOSED = CLOSED;
  readonly CONNECTING = CONNECTING;
  readonly OPEN = OPEN;
  readonly CLOSING = CLOSING;
  readonly CLOSED = CLOSED;

  /** The address that it was opened with. */
  readonly url: string;
  /** Extensions: none. */
  readonly extensions = '';
  #protocol = '';
  #readyState: number = CONNECTING;
  #binaryType: BinaryType = 'blob';
  #carrier: Carrier;
  #handlers: { [type: string]: Handler<Event> } = {};
  /** Blobs are read one after the other; what is sent behind them waits. */
  #reading: Promise<void> | undefined;
  #waitingBytes = 0;

  /** Use `broker.createWebsocket` or `broker.websocket`. */
  constructor(url: string, protocols: readonly string[], connect: Connect) {
    super();
    this.url = url;
    this.#carrier = connect(new Ears(this), protocols);
  }

  static {
    hear = {
      open: (socket, protocol) => socket.#opened(protocol),
      message: (socket, bytes) => socket.#message(bytes),
      closed: (socket, code, reason, clean) => socket.#closed(code, reason, clean),
      event: (socket, event) => socket.#handler(event.type)?.call(socket, event),
    };
  }

  /** The subprotocol that was agreed on, `mqtt` or `mqttv3.1`; empty before it is open. */
  get protocol(): string {
    return this.#protocol;
  }

  /** CONNECTING 0, OPEN 1, CLOSING 2 or CLOSED 3. */
  get readyState(): number {
    return this.#readyState;
  }

  /** Bytes that were sent and that the broker has not taken yet. */
  get bufferedAmount(): number {
    return this.#waitingBytes + this.#carrier.buffered();
  }

  /** How `message` events carry their data: `blob` at first, as with every WebSocket. */
  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  set binaryType(type: BinaryType) {
    // What is no type is ignored, as the platform does.
    if (type === 'blob' || type === 'arraybuffer') this.#binaryType = type;
  }

  get onopen(): Handler<Event> {
    return this.#handler('open');
  }
  set onopen(handler: Handler<Event>) {
    this.#handle('open', handler);
  }
  get onmessage(): Handler<MessageEvent> {
    return this.#handler('message') as Handler<MessageEvent>;
  }
  set onmessage(handler: Handler<MessageEvent>) {
    this.#handle('message', handler as Handler<Event>);
  }
  get onerror(): Handler<Event> {
    return this.#handler('error');
  }
  set onerror(handler: Handler<Event>) {
    this.#handle('error', handler);
  }
  get onclose(): Handler<CloseEvent> {
    return this.#handler('close') as Handler<CloseEvent>;
  }
  set onclose(handler: Handler<CloseEvent>) {
    this.#handle('close', handler as Handler<Event>);
  }

  /**
   * Sends bytes, copied at once. Text closes the connection: MQTT has none [5:MQTT-6.0.0-1].
   * @throws InvalidStateError while it is connecting. Once it is closing nothing is sent and nothing thrown.
   */
  send(data: ArrayBuffer | ArrayBufferView | Blob | string): void {
    if (this.#readyState === CONNECTING) {
      throw new DOMException('the socket is still connecting', 'InvalidStateError');
    }
    if (this.#readyState !== OPEN) return;
    if (isBlob(data)) {
      this.#later(data.size, async () => new Uint8Array(await data.arrayBuffer()));
    } else if (!isBytes(data)) {
      // A text, or what the platform would make one of.
      this.#readyState = CLOSING;
      this.#carrier.end();
      queueMicrotask(() => this.#closed(1003, 'MQTT is sent in binary messages', true));
    } else if (this.#reading !== undefined) {
      const bytes = bytesOf(data).slice();
      this.#later(bytes.length, async () => bytes);
    } else {
      this.#carrier.send(bytesOf(data));
    }
  }

  /**
   * Closes. Any number of times.
   * @throws InvalidAccessError for a code other than 1000 and 3000 to 4999; SyntaxError for a reason over 123 bytes.
   */
  close(code?: number, reason = ''): void {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw new DOMException('a close code is 1000 or from 3000 to 4999', 'InvalidAccessError');
    }
    if (new TextEncoder().encode(reason).length > 123) {
      throw new DOMException('a close reason has at most 123 bytes', 'SyntaxError');
    }
    if (this.#readyState === CLOSING || this.#readyState === CLOSED) return;
    const connecting = this.#readyState === CONNECTING;
    this.#readyState = CLOSING;
    const finish = () => {
      this.#carrier.end();
      // Events of a close come in a later task, too.
      queueMicrotask(() => (connecting ? this.#closed(1006, '', false) : this.#closed(code ?? 1005, reason, true)));
    };
    if (this.#reading === undefined) finish();
    else void this.#reading.then(finish);
  }

  #later(bytes: number, read: () => Promise<Uint8Array>): void {
    this.#waitingBytes += bytes;
    const before = this.#reading ?? Promise.resolve();
    const mine = before.then(async () => {
      // What can't be read, such as a Blob of a file that has changed, would be a hole in the stream: a cut is honest.
      const data = await read().catch(() => undefined);
      this.#waitingBytes -= bytes;
      if (this.#reading === mine) this.#reading = undefined;
      if (this.#readyState === CLOSED) return;
      if (data !== undefined) {
        this.#carrier.send(data);
        return;
      }
      this.#carrier.end();
      this.#closed(1006, '', false);
    });
    this.#reading = mine;
  }

  #opened(protocol: string): void {
    if (this.#readyState !== CONNECTING) return;
    this.#protocol = protocol;
    this.#readyState = OPEN;
    this.dispatchEvent(new Event('open'));
  }

  #message(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#readyState !== OPEN) return;
    const whole = bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
    const data = this.#binaryType === 'arraybuffer' ? whole : new Blob([whole]);
    this.dispatchEvent(new MessageEvent('message', { data, origin: originOf(this.url) }));
  }

  #closed(code: number, reason: string, wasClean: boolean): void {
    if (this.#readyState === CLOSED) return;
    this.#readyState = CLOSED;
    if (!wasClean) this.dispatchEvent(new Event('error'));
    this.dispatchEvent(closeEvent({ code, reason, wasClean }));
  }

  #handler(type: string): Handler<Event> {
    return this.#handlers[type] ?? null;
  }

  /** A handler keeps the place among the listeners that its first value had, as the platform does it. */
  #handle(type: string, handler: Handler<Event>): void {
    if (!(type in this.#handlers)) this.addEventListener(type, call);
    this.#handlers[type] = typeof handler === 'function' ? handler : null;
  }
}

/** Calls what `on...` was set to last; one function for all sockets. */
function call(this: BrokerSocket, event: Event): void {
  hear.event(this, event);
}

/** Whether a value is bytes, of whatever realm. */
export const isBytes = (data: unknown): data is ArrayBuffer | ArrayBufferView =>
  ArrayBuffer.isView(data) || Object.prototype.toString.call(data) === '[object ArrayBuffer]';

/** A view of exactly the bytes meant, from any realm. */
export function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(data);
}

function isBlob(data: unknown): data is Blob {
  const { arrayBuffer, size } = (data ?? {}) as Partial<Blob>;
  return typeof arrayBuffer === 'function' && typeof size === 'number';
}

function originOf(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    return '';
  }
}

/** The subprotocols that MQTT has; the older name is 3.1's. */
const PROTOCOLS = ['mqtt', 'mqttv3.1'];

/**
 * The subprotocol to agree on: the client's first that is MQTT [5:MQTT-6.0.0-3] [5:MQTT-6.0.0-4]; `undefined` refuses.
 */
export function agree(offered: readonly string[], allowNone: boolean): string | undefined {
  if (offered.length === 0) return allowNone ? '' : undefined;
  return offered.find((protocol) => PROTOCOLS.includes(protocol));
}

/**
 * The subprotocols that somebody offers, as `new WebSocket` takes them.
 * @throws SyntaxError if one is no token or comes twice, as the platform does; TypeError for what is no list.
 */
export function offered(protocols: string | readonly string[] | undefined): string[] {
  const list = typeof protocols === 'string' ? [protocols] : (protocols ?? []);
  if (!Array.isArray(list)) throw new TypeError(`protocols: found ${list}; allowed: a subprotocol, or a list of them`);
  const bad = list.find(
    (protocol, at) => !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(protocol) || list.indexOf(protocol) !== at,
  );
  if (bad !== undefined) throw new DOMException(`the subprotocol '${bad}' is none, or comes twice`, 'SyntaxError');
  return [...list];
}
