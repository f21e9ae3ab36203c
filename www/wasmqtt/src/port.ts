/**
 * MQTT over a MessagePort: to an iframe, a worker, another tab. One port is one connection. The protocol, version 1:
 *
 * ```text
 * broker -> client   { wasmqtt: 1, protocols: [...], credit, heartbeatMs, lock }   the first message
 * client -> broker   { wasmqtt: 1, protocol, lock }    answers it, if the client wants to be known: see below
 * both ways          ArrayBuffer (or a view): bytes of MQTT, cut anywhere, several packets joined or one split
 * both ways          { taken: n }     the sender of this has dealt with n more bytes of the other side
 * both ways          { alive: true }  every heartbeatMs, unless both sides named a lock
 * both ways          { close: code }  the end; nothing follows
 * ```
 *
 * A port does not say when the other side dies. So each side names a Web Lock (`lock`) that it holds: who gets the lock
 * of the other knows that it is gone. The broker's is one for the whole page, and it is held before its name is told, so
 * that the client can see whether both look at the same locks: sides of different origins do not. Then, and where locks
 * are refused, both send signs of life, and three that are missing are the end.
 *
 * The answer also turns on flow control: in each direction at most `credit` bytes are under way that the other side has
 * not taken; what is beyond waits with its sender. `connectPort` does all of that.
 *
 * Bytes of a client that never answered are MQTT like any other: whoever holds the other end of `broker.port()` may
 * just post packets. Such a client is cut off by its Keep Alive only, and what it does not read piles up in its port.
 */

import type { Engine, LinkId } from './engine.js';
import { only, whole } from './options.js';
import { type Locks, ownLock, Pulse, platformLocks, watch } from './signs.js';
import { bytesOf, isBytes } from './socket.js';

/** The version of the protocol. */
export const PORT_PROTOCOL = 1;

/** Bytes that may be under way, in each direction, between sides that say what they have taken. */
const CREDIT_BYTES = 1 << 20;
/** To a client that does not. */
const UNLIMITED = Number.MAX_SAFE_INTEGER;
/** How often a side says what it has taken. */
export const TAKEN_BYTES = CREDIT_BYTES / 4;
const HEARTBEAT_MS = 5_000;
/** As subprotocols of a WebSocket. */
const PROTOCOLS = ['mqtt', 'mqttv3.1'];

/** Choices for one end of a port. */
export interface PortOptions {
  /** How often each side gives a sign of life without Web Locks, in milliseconds, 1 to 3,600,000. Default 5000. */
  heartbeatMs?: number;
  /** Instead of the platform's Web Locks; `null` for none. */
  locks?: Locks | null;
}

/** What is between signs of life, if it was chosen. @throws TypeError that names a wrong option. */
export function heartbeatOf(options: PortOptions): number | undefined {
  only('options', options, ['heartbeatMs', 'locks']);
  const { heartbeatMs } = options;
  return heartbeatMs === undefined ? undefined : whole('heartbeatMs', heartbeatMs, 1, 3_600_000);
}

/** The first message of the broker. */
export interface Hello {
  wasmqtt: number;
  protocols: string[];
  credit: number;
  heartbeatMs: number;
  lock: string | null;
}

/** The answer of a client that wants to be known. */
export interface Answer {
  wasmqtt: number;
  protocol: string;
  lock: string | null;
}

/** Every message but bytes. */
export type Control = { wasmqtt?: number; lock?: string | null; taken?: number; alive?: boolean; close?: number };

/** What serves a port: an engine, or what leads to one elsewhere. */
export type PortEngine = Pick<Engine, 'open' | 'received' | 'unreadBytes' | 'taken' | 'limit' | 'gone'>;

/** Serves the client at the other end of a port. Gives a function that cuts it off; `over` is called when it is gone. */
export function servePort(
  engine: PortEngine,
  port: MessagePort,
  options: PortOptions,
  later: (task: () => void) => void,
  over?: () => void,
): () => void {
  const serving = new Serving(engine, port, options, later);
  serving.onover = over;
  return () => serving.cut();
}

/** The broker's end of a port. */
class Serving {
  onover: (() => void) | undefined;
  #engine: PortEngine;
  #port: MessagePort;
  #later: (task: () => void) => void;
  #locks: Locks | null;
  #heartbeatMs: number;
  #id: LinkId | undefined;
  #over = new AbortController();
  #pulse: Pulse | undefined;
  /** Whether the client said that it counts. */
  #counts = false;
  /** Bytes of the client that it was not yet told were taken. */
  #untold = 0;

  constructor(engine: PortEngine, port: MessagePort, options: PortOptions, later: (task: () => void) => void) {
    this.#engine = engine;
    this.#port = port;
    this.#later = later;
    this.#locks = options.locks === undefined ? platformLocks() : options.locks;
    this.#heartbeatMs = heartbeatOf(options) ?? HEARTBEAT_MS;
    if (this.#locks) void ownLock(this.#locks).then((lock) => this.#begin(lock));
    else this.#begin(null);
  }

  /** Cuts the client off. */
  cut(): void {
    const id = this.#end(1006);
    if (id !== undefined) this.#engine.gone(id);
  }

  /** What the client posted before waits in the port. */
  #begin(lock: string | null): void {
    if (this.#over.signal.aborted) return;
    const heartbeatMs = this.#heartbeatMs;
    const hello: Hello = {
      wasmqtt: PORT_PROTOCOL,
      protocols: PROTOCOLS,
      credit: CREDIT_BYTES,
      heartbeatMs,
      lock,
    };
    this.#port.postMessage(hello);
    const link = {
      deliver: (bytes: Uint8Array<ArrayBuffer>) => this.#port.postMessage(bytes.buffer, [bytes.buffer]),
      close: () => void this.#end(1000),
      cut: () => void this.#end(1006),
      resumed: () => this.#tell(),
    };
    this.#id = this.#engine.open(link, true, 'port', UNLIMITED);
    this.#port.onmessage = ({ data }) => this.#message(data, lock);
  }

  #message(data: unknown, lock: string | null): void {
    if (this.#id === undefined) return;
    this.#pulse?.heard();
    if (isBytes(data)) {
      this.#untold += data.byteLength;
      this.#engine.received(this.#id, bytesOf(data));
      this.#tell();
    } else if (typeof data === 'object' && data !== null) {
      const control = data as Control;
      if (typeof control.taken === 'number') this.#engine.taken(this.#id, control.taken);
      else if (typeof control.close === 'number') this.#lost();
      else if (control.wasmqtt !== undefined && !this.#counts) this.#answered(control, lock);
    }
  }

  /** Says what was taken, once it is worth a message. What the broker does not read yet is not. */
  #tell(): void {
    if (!this.#counts || this.#untold < TAKEN_BYTES || this.#id === undefined) return;
    if (this.#engine.unreadBytes(this.#id) > 0) return;
    this.#port.postMessage({ taken: this.#untold } satisfies Control);
    this.#untold = 0;
  }

  #answered(answer: Control, lock: string | null): void {
    this.#counts = true;
    if (this.#id !== undefined) this.#engine.limit(this.#id, CREDIT_BYTES);
    if (typeof answer.lock === 'string' && lock !== null && this.#locks) {
      watch(this.#locks, answer.lock, this.#over.signal, () => this.#lost());
    } else {
      const beat = () => this.#port.postMessage({ alive: true } satisfies Control);
      this.#pulse = new Pulse(this.#heartbeatMs, beat, () => this.#lost());
    }
  }

  #lost(): void {
    const id = this.#end(undefined);
    if (id !== undefined) this.#engine.gone(id);
  }

  /** Ends this side; gives the link if it was open. */
  #end(code: number | undefined): LinkId | undefined {
    const id = this.#id;
    this.#id = undefined;
    if (this.#over.signal.aborted) return id;
    this.#over.abort();
    this.#pulse?.stop();
    if (code !== undefined) this.#port.postMessage({ close: code } satisfies Control);
    this.#port.onmessage = null;
    // A message that was just posted still arrives.
    this.#later(() => this.#port.close());
    this.onover?.();
    return id;
  }
}
