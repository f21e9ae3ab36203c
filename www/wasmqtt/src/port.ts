/**
 * MQTT over a MessagePort: to an iframe, a worker, another tab. One port is one connection. The protocol, version 1:
 *
 * ```text
 * broker -> client   { wasmqtt: 1, protocols: [...], heartbeatMs, lock }   the first message, before anything else
 * client -> broker   { wasmqtt: 1, protocol, lock }    answers it, if the client wants to be known: see below
 * both ways          ArrayBuffer (or a view): bytes of MQTT, cut anywhere, several packets joined or one split
 * client -> broker   { taken: n }     the client has dealt with n more bytes
 * both ways          { alive: true }  every heartbeatMs while there is no lock
 * both ways          { close: code }  the end; nothing follows
 * ```
 *
 * A port does not say when the other side dies. So a client that answers names a Web Lock (`lock`) that it holds, where
 * both sides may: when the broker gets that lock the client is gone, and its Will is published. Else both send signs of
 * life, and three that are missing are the end. The answer also turns on flow control: the broker has at most
 * CREDIT_BYTES under way that the client has not taken. `connectPort` does all of that.
 *
 * Bytes of a client that never answered are MQTT like any other: whoever holds the other end of `broker.port()` may
 * just post packets. Such a client is cut off by its Keep Alive only, and what it does not read piles up in its port.
 */

import type { Engine, LinkId } from './engine.js';
import { agree, BrokerSocket, bytesOf, type Carried, type Carrier, offered } from './socket.js';

/** The version of the protocol. */
export const PORT_PROTOCOL = 1;

/** Bytes that may be under way to a client that says what it has taken. */
const CREDIT_BYTES = 1 << 20;
/** For one that does not. */
const UNLIMITED = Number.MAX_SAFE_INTEGER;
/** How often a client says what it has taken. */
const TAKEN_BYTES = CREDIT_BYTES / 4;
const HEARTBEAT_MS = 5_000;
const HEARTBEATS_MISSED_MAX = 3;
/** As subprotocols of a WebSocket. */
const PROTOCOLS = ['mqtt', 'mqttv3.1'];

/** Choices for one end of a port. */
export interface PortOptions {
  /** How often each side gives a sign of life where there are no Web Locks, in milliseconds. Default 5000. */
  heartbeatMs?: number;
  /** Instead of the platform's Web Locks; `null` for none. */
  locks?: Pick<LockManager, 'request'> | null;
}

interface Hello {
  wasmqtt: number;
  protocols: string[];
  heartbeatMs: number;
  lock: boolean;
}

interface Answer {
  wasmqtt: number;
  protocol: string;
  lock: string | null;
}

type Control = { wasmqtt?: number; lock?: boolean | string | null; taken?: number; alive?: boolean; close?: number };

const isBytes = (data: unknown): data is ArrayBuffer | ArrayBufferView =>
  ArrayBuffer.isView(data) || Object.prototype.toString.call(data) === '[object ArrayBuffer]';

const platformLocks = (): PortOptions['locks'] => (globalThis.navigator as Navigator | undefined)?.locks ?? null;

/** Signs of life in both directions. */
class Pulse {
  #timer: ReturnType<typeof setInterval>;
  #missed = 0;

  constructor(everyMs: number, beat: () => void, dead: () => void) {
    this.#timer = setInterval(() => {
      this.#missed += 1;
      if (this.#missed > HEARTBEATS_MISSED_MAX) {
        this.stop();
        dead();
      } else beat();
    }, everyMs);
    // In Node a broker that only waits keeps no process alive.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  heard(): void {
    this.#missed = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** What serves a port: an engine, or what leads to one elsewhere. */
export type PortEngine = Pick<Engine, 'open' | 'received' | 'taken' | 'limit' | 'gone'>;

/** Serves the client at the other end of a port. Gives a function that cuts it off. */
export function servePort(
  engine: PortEngine,
  port: MessagePort,
  options: PortOptions,
  later: (task: () => void) => void,
): () => void {
  const locks = options.locks === undefined ? platformLocks() : options.locks;
  const heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS;
  const given = new AbortController();
  let id: LinkId | undefined;
  let pulse: Pulse | undefined;
  let flow = false;

  const over = (code: number | undefined) => {
    given.abort();
    pulse?.stop();
    if (code !== undefined) port.postMessage({ close: code } satisfies Control);
    port.onmessage = null;
    // A message that was just posted still arrives.
    later(() => port.close());
  };
  const lost = () => {
    if (id !== undefined) engine.gone(id);
    id = undefined;
    over(undefined);
  };
  const answered = (answer: Control) => {
    flow = true;
    if (id !== undefined) engine.limit(id, CREDIT_BYTES);
    if (typeof answer.lock === 'string' && locks) {
      const { signal } = given;
      // It is ours when the client is gone, or was never there.
      locks.request(answer.lock, { signal }, lost).catch(() => {});
    } else {
      pulse = new Pulse(heartbeatMs, () => port.postMessage({ alive: true } satisfies Control), lost);
    }
  };

  id = engine.open(
    {
      deliver: (bytes) => port.postMessage(bytes.buffer, [bytes.buffer]),
      close: () => {
        id = undefined;
        over(1000);
      },
      cut: () => {
        id = undefined;
        over(1006);
      },
    },
    true,
    'port',
    UNLIMITED,
  );
  port.onmessage = ({ data }) => {
    if (id === undefined) return;
    pulse?.heard();
    if (isBytes(data)) engine.received(id, bytesOf(data));
    else if (typeof data === 'object' && data !== null) {
      const control = data as Control;
      if (typeof control.taken === 'number') engine.taken(id, control.taken);
      else if (typeof control.close === 'number') lost();
      else if (control.wasmqtt !== undefined && !flow) answered(control);
    }
  };
  const hello: Hello = { wasmqtt: PORT_PROTOCOL, protocols: PROTOCOLS, heartbeatMs, lock: locks !== null };
  port.postMessage(hello);
  return () => {
    if (id !== undefined) engine.gone(id);
    id = undefined;
    over(1006);
  };
}

/**
 * A socket for an MQTT client over a port whose other end a broker has accepted: `mqtt.connect('ws://port.invalid', {
 * createWebsocket: () => connectPort(port) })`. A port is one connection; for another one ask for another port.
 * @param protocols as for a WebSocket; default `mqtt`.
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
  const locks = options.locks === undefined ? platformLocks() : options.locks;
  let pulse: Pulse | undefined;
  let release: (() => void) | undefined;
  let taken = 0;
  let closed = false;

  const over = () => {
    closed = true;
    pulse?.stop();
    release?.();
    port.onmessage = null;
    setTimeout(() => port.close());
  };
  const end = (code: number, clean: boolean) => {
    if (closed) return;
    over();
    socket.closed(code, '', clean);
  };
  const welcome = async (hello: Hello) => {
    const protocol = agree(wanted, true);
    if (hello.wasmqtt !== PORT_PROTOCOL || protocol === undefined) {
      port.postMessage({ close: 1002 } satisfies Control);
      end(1006, false);
      return;
    }
    const lock = hello.lock && locks ? await holdLock(locks, (free) => (release = free)) : null;
    if (closed) return release?.();
    const answer: Answer = { wasmqtt: PORT_PROTOCOL, protocol, lock };
    port.postMessage(answer);
    if (lock === null) {
      const beat = () => port.postMessage({ alive: true } satisfies Control);
      pulse = new Pulse(options.heartbeatMs ?? hello.heartbeatMs, beat, () => end(1006, false));
    }
    socket.open(protocol);
  };
  port.onmessage = ({ data }) => {
    if (closed) return;
    pulse?.heard();
    if (isBytes(data)) {
      const bytes = bytesOf(data).slice();
      socket.message(bytes);
      taken += bytes.length;
      if (taken < TAKEN_BYTES) return;
      port.postMessage({ taken } satisfies Control);
      taken = 0;
      return;
    }
    const control = data as Control;
    if (typeof control?.close === 'number') end(control.close, control.close === 1000);
    else if (control?.wasmqtt !== undefined) void welcome(data as Hello);
  };
  return {
    send: (bytes) => {
      const copy = bytes.slice();
      port.postMessage(copy.buffer, [copy.buffer]);
    },
    buffered: () => 0,
    close: () => {
      if (closed) return;
      port.postMessage({ close: 1000 } satisfies Control);
      over();
    },
  };
}

/** Holds a lock that nobody else has until its function is called; gives its name, `null` if locks are refused. */
function holdLock(
  locks: NonNullable<PortOptions['locks']>,
  free: (release: () => void) => void,
): Promise<string | null> {
  const name = `wasmqtt:port:${Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('')}`;
  return new Promise((resolve) => {
    const held = locks.request(name, {}, () => {
      resolve(name);
      return new Promise<void>((done) => free(done));
    });
    Promise.resolve(held).catch(() => resolve(null));
  });
}
