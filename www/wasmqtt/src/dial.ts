/**
 * A WebSocket that the page opens to another broker because the core wants one, and what it takes to make it a link of
 * the engine. The core is told once how it ended: opened or not. What goes over it is the core's business.
 *
 * A WebSocket says how much of what was sent still waits in it (`bufferedAmount`) and never says when that becomes less.
 * So it is looked at before more is sent, and by a timer once half of the credit is out.
 */
import type { Engine, Link, LinkId } from './engine.js';

/** What is used of a WebSocket. */
export interface WebSocketLike {
  binaryType: string;
  /** 1 while it is open. */
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** Makes a WebSocket: the platform's own, or another that is like it, such as that of the npm package `ws`. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/** Bytes that may wait in a WebSocket; what is beyond waits in the core, whose limits apply. */
const CREDIT_BYTES = 1 << 20;
/** How often a WebSocket with much in it is looked at. */
const LOOK_MS = 20;
/** Bytes that came and that the core does not want yet: above it the connection is given up, since a WebSocket can't be
 * told to wait. What is lost so is QoS 0 only. */
const UNREAD_BYTES_MAX = 16 << 20;
/** How long a WebSocket may take to open. Browsers wait for minutes. */
const OPEN_MS = 30_000;

// Taken before a test suite replaces them by timers that stand still.
const [timeout, clear] = [setTimeout, clearTimeout];

/** What a dial tells whoever began it; one of `opened` and `failed`, once. */
export interface Dialled {
  opened(link: LinkId): void;
  /** It led nowhere, for a reason that people can read. */
  failed(why: string): void;
  /** What was opened is gone. */
  gone(link: LinkId): void;
}

/** One WebSocket for one bridge. */
export class Dial implements Link {
  #engine: Engine;
  #told: Dialled;
  #socket: WebSocketLike | undefined;
  #id: LinkId | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #error: string | undefined;
  /** Bytes that were sent and that the engine believes to wait still. */
  #waiting = 0;

  /** Opens a WebSocket to `url` for the bridge with this number. */
  constructor(engine: Engine, bridge: number, url: string, webSocket: WebSocketConstructor, told: Dialled) {
    this.#engine = engine;
    this.#told = told;
    let socket: WebSocketLike;
    try {
      socket = new webSocket(url, ['mqtt']);
    } catch (error) {
      // In a later task, as everything else that becomes of a dial.
      this.#timer = timeout(() => this.#over(String(error)), 0);
      return;
    }
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.#quiet();
      this.#id = engine.dialled(this, bridge, url, CREDIT_BYTES);
      told.opened(this.#id);
    };
    socket.onmessage = ({ data }: MessageEvent) => this.#received(data);
    socket.onerror = ({ message }: ErrorEvent) => {
      this.#error = message || this.#error;
    };
    socket.onclose = ({ code }: CloseEvent) =>
      this.#over(this.#error ?? `the WebSocket was closed with code ${code} before it was open`);
    this.#timer = timeout(() => this.#over(`no answer within ${OPEN_MS / 1000} s`), OPEN_MS);
  }

  deliver(bytes: Uint8Array<ArrayBuffer>): void {
    // On its way to be closed it takes nothing, and complains.
    if (this.#socket?.readyState !== 1) return;
    this.#waiting += bytes.length;
    this.#socket.send(bytes);
    this.#look();
  }

  /** The core is done with it. */
  close(): void {
    this.cut();
  }

  /** Ends it without a word to the core. */
  cut(): void {
    const id = this.#id;
    this.#id = undefined;
    this.#quiet();
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      // What is wrong with it is nobody's business any more; without a handler it would be an error of the program.
      socket.onerror = () => {};
      socket.close();
    }
    if (id !== undefined) this.#told.gone(id);
  }

  #received(data: unknown): void {
    const id = this.#id;
    if (id === undefined) return;
    // [5:MQTT-6.0.0-1]: text is no MQTT.
    if (typeof data === 'string') {
      this.#over('');
      return;
    }
    this.#look();
    this.#engine.received(id, new Uint8Array(data as ArrayBuffer));
    if (this.#engine.unreadBytes(id) > UNREAD_BYTES_MAX) this.#over('');
  }

  /** Looks how much has left. */
  #look(): void {
    this.#quiet();
    const waiting = Math.min(this.#waiting, this.#socket?.bufferedAmount ?? 0);
    const left = this.#waiting - waiting;
    this.#waiting = waiting;
    if (waiting > CREDIT_BYTES / 2) this.#timer = timeout(() => this.#look(), LOOK_MS);
    if (left > 0 && this.#id !== undefined) this.#engine.taken(this.#id, left);
  }

  #over(why: string): void {
    const id = this.#id;
    this.cut();
    if (id !== undefined) this.#engine.gone(id);
    else this.#told.failed(why);
  }

  #quiet(): void {
    clear(this.#timer);
    this.#timer = undefined;
  }
}
