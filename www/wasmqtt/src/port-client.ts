/**
 * The client's end of a port: a socket for an MQTT client in an iframe, a worker or another tab. The protocol stands in
 * `port.ts`.
 */
import {
  type Answer,
  type Control,
  type Hello,
  heartbeatOf,
  PORT_PROTOCOL,
  type PortOptions,
  TAKEN_BYTES,
} from './port.js';
import { holdLock, isHeld, type Locks, Pulse, platformLocks, watch } from './signs.js';
import { agree, BrokerSocket, bytesOf, type Carried, type Carrier, isBytes, offered } from './socket.js';

/**
 * A socket for an MQTT client over a port whose other end a broker has accepted: `mqtt.connect('ws://port.invalid', {
 * createWebsocket: () => connectPort(port) })`. A port is one connection; for another one ask for another port.
 * @param protocols as for a WebSocket; default `mqtt`.
 * @throws TypeError that names a wrong option.
 */
export function connectPort(
  port: MessagePort,
  protocols: string | readonly string[] = 'mqtt',
  options: PortOptions = {},
): BrokerSocket {
  return new BrokerSocket('ws://port.invalid/mqtt', offered(protocols), (socket, wanted) =>
    carry(port, socket, wanted, options),
  );
}

function carry(port: MessagePort, socket: Carried, wanted: readonly string[], options: PortOptions): Carrier {
  const client = new Carrying(port, socket, wanted, options);
  return {
    send: (bytes) => client.send(bytes),
    buffered: () => client.waitingBytes,
    end: () => client.close(),
  };
}

/** The client's end of a port. */
class Carrying {
  #port: MessagePort;
  #socket: Carried;
  #wanted: readonly string[];
  #heartbeatMs: number | undefined;
  #locks: Locks | null;
  #pulse: Pulse | undefined;
  #release: (() => void) | undefined;
  #over = new AbortController();
  /** Bytes of the broker that it was not yet told were taken. */
  #untold = 0;
  /** Bytes that may be posted before the broker took some, and those that wait for that. */
  #credit = 0;
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #closing = false;
  waitingBytes = 0;

  constructor(port: MessagePort, socket: Carried, wanted: readonly string[], options: PortOptions) {
    this.#port = port;
    this.#socket = socket;
    this.#wanted = wanted;
    this.#heartbeatMs = heartbeatOf(options);
    this.#locks = options.locks === undefined ? platformLocks() : options.locks;
    port.onmessage = ({ data }) => this.#message(data);
  }

  send(bytes: Uint8Array): void {
    this.#waiting.push(bytes.slice());
    this.waitingBytes += bytes.length;
    this.#flush();
  }

  /** What waits is sent first. */
  close(): void {
    this.#closing = true;
    this.#flush();
  }

  #flush(): void {
    while (this.#credit > 0 && this.#waiting.length > 0) {
      const first = this.#waiting[0] as Uint8Array<ArrayBuffer>;
      const now = first.length <= this.#credit ? first : first.slice(0, this.#credit);
      if (now === first) this.#waiting.shift();
      else this.#waiting[0] = first.slice(now.length);
      this.#credit -= now.length;
      this.waitingBytes -= now.length;
      this.#port.postMessage(now.buffer, [now.buffer]);
    }
    if (!this.#closing || this.#waiting.length > 0 || this.#over.signal.aborted) return;
    this.#port.postMessage({ close: 1000 } satisfies Control);
    this.#finish();
  }

  #message(data: unknown): void {
    if (this.#over.signal.aborted) return;
    this.#pulse?.heard();
    if (isBytes(data)) {
      this.#untold += data.byteLength;
      // A buffer of this realm that nobody else has, as it is.
      this.#socket.message(data instanceof ArrayBuffer ? new Uint8Array(data) : bytesOf(data).slice());
      if (this.#untold < TAKEN_BYTES || this.#over.signal.aborted) return;
      this.#port.postMessage({ taken: this.#untold } satisfies Control);
      this.#untold = 0;
      return;
    }
    const control = data as Control | null;
    if (typeof control?.close === 'number') this.#end(control.close, control.close === 1000);
    else if (typeof control?.taken === 'number') {
      this.#credit += control.taken;
      this.#flush();
    } else if (control?.wasmqtt !== undefined) void this.#welcome(data as Hello);
  }

  async #welcome(hello: Hello): Promise<void> {
    const protocol = agree(this.#wanted, true);
    if (hello.wasmqtt !== PORT_PROTOCOL || protocol === undefined) {
      this.#port.postMessage({ close: 1002 } satisfies Control);
      this.#end(1006, false);
      return;
    }
    const locks = hello.lock !== null && this.#locks && (await isHeld(this.#locks, hello.lock)) ? this.#locks : null;
    const keep = (release: () => void) => {
      this.#release = release;
    };
    const lock = locks ? await holdLock(locks, keep) : null;
    if (this.#over.signal.aborted) return this.#release?.();
    this.#credit = hello.credit;
    this.#port.postMessage({ wasmqtt: PORT_PROTOCOL, protocol, lock } satisfies Answer);
    const lost = () => this.#end(1006, false);
    if (locks && lock !== null && hello.lock !== null) {
      watch(locks, hello.lock, this.#over.signal, lost);
    } else {
      const beat = () => this.#port.postMessage({ alive: true } satisfies Control);
      this.#pulse = new Pulse(this.#heartbeatMs ?? hello.heartbeatMs, beat, lost);
    }
    this.#socket.open(protocol);
  }

  #end(code: number, clean: boolean): void {
    if (this.#over.signal.aborted) return;
    this.#finish();
    this.#socket.closed(code, '', clean);
  }

  #finish(): void {
    this.#over.abort();
    this.#pulse?.stop();
    this.#release?.();
    this.#port.onmessage = null;
    setTimeout(() => this.#port.close());
  }
}
