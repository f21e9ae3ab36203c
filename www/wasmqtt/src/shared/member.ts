/**
 * A member's side: finds the host, gets a wire to it, and carries connections, calls and events over it. When the host
 * dies, every connection ends as if a cable had been cut; connections that are opened meanwhile wait for the next host.
 *
 * How a dead host is known: it holds a Web Lock and the member waits for it; where there are none, it stops to answer.
 */
import { type Free, hold } from '../storage/lock.js';
import { type Channel, controlOf, framesOf, Heartbeat, type Place, Wire } from './place.js';
import {
  aliveLock,
  type Control,
  CREDIT_BYTES,
  controlName,
  errorOf,
  type Failure,
  type Frame,
  type Mode,
  memberLock,
  wireName,
} from './protocol.js';

/** What a shared broker can't do. `cause` has more where there is more. */
export class SharedBrokerError extends Error {
  override readonly name = 'SharedBrokerError';
  /**
   * `outdated`: a newer build serves this name, the page must be reloaded. `failed`: no broker could be made. `moved`:
   * the host went before it answered. `timeout`: no host came in time. `closed`: `close` was called. `options`: the
   * broker that is there was made with others.
   */
  readonly code: 'outdated' | 'failed' | 'moved' | 'timeout' | 'closed' | 'options';
  constructor(code: SharedBrokerError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** What a connection tells its socket. */
export interface Far {
  /** The host has it; nothing was sent before. */
  opened(): void;
  /** Bytes of the broker; to be answered by `took` when the client has them. */
  deliver(bytes: Uint8Array<ArrayBuffer>): void;
  /** The broker took this many bytes of what was sent. */
  taken(bytes: number): void;
  /** It is over; `clean` if the broker ended it as MQTT says, otherwise it was cut. */
  closed(clean: boolean): void;
}

/** A connection over the wire. */
export interface Near {
  send(bytes: Uint8Array<ArrayBuffer>): void;
  took(bytes: number): void;
  close(): void;
}

/** What a member tells its page. */
export interface MemberListener {
  /** A host admitted this member: the first one, or another than before. */
  joined(epoch: number, mode: Mode, host: string, storage: string): void;
  /** The host is gone; `host` is its name. */
  left(host: string): void;
  /** A candidate, perhaps this one, could make no broker. */
  failed(error: Failure): void;
  /** A newer build is about; this one is out of use for good. */
  outdated(): void;
  /** An event of the broker that was watched. */
  event(name: string, value: unknown): void;
}

export interface MemberOptions {
  name: string;
  id: string;
  protocol: number;
  /** How long a silent host counts as alive where there are no locks, in milliseconds. */
  heartbeatMs: number;
  /** A wire to a host in this very context or in our SharedWorker, if it is that one; else a channel is used. */
  direct(host: string, mode: Mode): Promise<Channel | undefined>;
}

interface Link {
  host: string;
  epoch: number;
  wire: Wire;
  /** `undefined` until the host says welcome. */
  storage: string | undefined;
  mode: Mode;
  frees: Free[];
  watching: AbortController;
  heartbeat: Heartbeat | undefined;
}

interface Connection {
  far: Far;
  /** Sent on this link; on none while there is no host. */
  open: boolean;
  /** Bytes that may still be sent, and what waits for that. */
  credit: number;
  waiting: Uint8Array<ArrayBuffer>[];
}

const CLOSED = 'the shared broker was closed';

export class Member {
  #place: Place;
  #options: MemberOptions;
  #listener: MemberListener;
  #control: Channel;
  #link: Link | undefined;
  #epoch = 0;
  /** How often it joined, and whether it is about to. */
  #joins = 0;
  #joining = false;
  #connections = new Map<number, Connection>();
  #calls = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  #watches = new Set<string>();
  /** The lock of the epoch that ended, kept until the next one is held: the next host learns its number from it. */
  #kept: Free[] = [];
  #numbers = 0;
  #over = false;
  #unseek: () => void = () => {};

  constructor(place: Place, options: MemberOptions, listener: MemberListener) {
    this.#place = place;
    this.#options = options;
    this.#listener = listener;
    this.#control = place.channel(controlName(options.name));
    this.#control.onmessage = ({ data }) => this.hear(data);
    this.#seek();
  }

  /** Asks who is host, and again until there is one: a page that was frozen may have missed the answer. */
  #seek(): void {
    this.#unseek();
    if (this.#over || this.#link !== undefined) return;
    const { protocol, id, heartbeatMs } = this.#options;
    this.#control.postMessage({ say: 'who', protocol, from: id } satisfies Control);
    this.#unseek = this.#place.after(heartbeatMs, () => this.#seek());
  }

  /** A message about who is host. */
  hear(message: unknown): void {
    const control = controlOf(message);
    if (control === undefined || this.#over) return;
    if (control.protocol > this.#options.protocol) {
      this.close();
      this.#listener.outdated();
      return;
    }
    // An older host hears our `who` and retires.
    if (control.protocol < this.#options.protocol) return;
    if (control.say === 'failed' && this.#link === undefined) this.#listener.failed(control.error);
    if (control.say !== 'host') return;
    const { from, epoch, mode } = control;
    // Who has no host takes any: one that took us for dead is the same as before, and without locks nobody tells a new
    // one of our epoch.
    const none = this.#link === undefined && !this.#joining;
    if (epoch > this.#epoch || none) void this.#join(from, epoch, mode);
  }

  /** Opens a connection; it waits for a host if there is none, and is cut if there will be none. */
  open(far: Far): Near {
    if (this.#over) {
      queueMicrotask(() => far.closed(false));
      return { send() {}, took() {}, close() {} };
    }
    const number = ++this.#numbers;
    const connection: Connection = { far, open: false, credit: CREDIT_BYTES, waiting: [] };
    this.#connections.set(number, connection);
    this.#begin(number, connection);
    return {
      send: (bytes) => {
        connection.waiting.push(bytes);
        this.#push(number, connection);
      },
      took: (bytes) => connection.open && this.#link?.wire.send(['took', number, bytes]),
      close: () => {
        if (!this.#connections.delete(number) || !connection.open) return;
        this.#link?.wire.send(['close', number, true]);
      },
    };
  }

  /** Calls a function of the broker. @throws SharedBrokerError `moved` or `closed`; what the function throws. */
  call(name: string, args: unknown[]): Promise<unknown> {
    const link = this.#link;
    if (link?.storage === undefined) {
      const why = this.#over ? CLOSED : 'there is no host at the moment';
      return Promise.reject(new SharedBrokerError(this.#over ? 'closed' : 'moved', why));
    }
    const number = ++this.#numbers;
    return new Promise((resolve, reject) => {
      this.#calls.set(number, { resolve, reject });
      link.wire.send(['call', number, name, args]);
    });
  }

  /** Asks for an event of the broker, of this host and of all after it. */
  watch(event: string): void {
    if (this.#watches.has(event)) return;
    this.#watches.add(event);
    if (this.#link?.storage !== undefined) this.#link.wire.send(['watch', event]);
  }

  /** Takes `watch` back. */
  unwatch(event: string): void {
    if (this.#watches.delete(event) && this.#link?.storage !== undefined) this.#link.wire.send(['unwatch', event]);
  }

  /** Leaves; every connection is cut. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#unseek();
    this.#link?.wire.send(['bye']);
    this.#leave(new SharedBrokerError('closed', CLOSED));
    for (const [number, { far }] of this.#connections) {
      this.#connections.delete(number);
      far.closed(false);
    }
    this.#control.onmessage = null;
    this.#control.close();
  }

  async #join(host: string, epoch: number, mode: Mode): Promise<void> {
    this.#epoch = epoch;
    this.#joins += 1;
    this.#joining = true;
    const join = this.#joins;
    const { name, protocol, heartbeatMs } = this.#options;
    // Another name each time, so that what is left of an earlier wire to the same host is not taken for this one.
    const id = `${this.#options.id}.${join}`;
    // Held before the host hears of us: when the host gets it, we are dead. It also tells the next host of this epoch.
    const free = await hold(this.#place.locks, memberLock(name, epoch, id));
    const frees = typeof free === 'function' ? [free] : [];
    const direct = await this.#options.direct(host, mode);
    if (this.#joins !== join || this.#over) {
      this.#kept.push(...frees);
      if (this.#over) this.#free();
      return;
    }
    this.#joining = false;
    this.#lost();
    this.#free();
    const locked = frees.length > 0;
    const channel = direct ?? this.#place.channel(wireName(name, epoch, id));
    const wire = new Wire(channel, epoch);
    const watching = new AbortController();
    const link: Link = { host, epoch, wire, storage: undefined, mode, frees, watching, heartbeat: undefined };
    this.#link = link;
    channel.onmessage = ({ data }) => {
      this.hear(data);
      for (const frame of framesOf(data, epoch)) if (this.#link === link) this.#frame(link, frame);
    };
    this.#watchOver(link, locked);
    const joining: Control = { say: 'join', protocol, from: id, epoch, locked, heartbeatMs };
    (direct ?? this.#control).postMessage(joining);
  }

  /** Learns when the host dies. */
  #watchOver(link: Link, locked: boolean): void {
    const gone = () => {
      if (this.#link === link) this.#lost();
    };
    if (!locked) {
      link.heartbeat = new Heartbeat(this.#place, this.#options.heartbeatMs, () => link.wire.send(['ping']), gone);
      return;
    }
    const name = aliveLock(this.#options.name, link.epoch);
    hold(this.#place.locks, name, { mode: 'shared', wait: true, signal: link.watching.signal }).then(
      (free) => {
        if (typeof free === 'function') void free();
        gone();
      },
      () => {},
    );
  }

  /** The host is gone, or another has taken its place. */
  #lost(): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#leave(new SharedBrokerError('moved', 'the host of the shared broker went before it answered'));
    for (const [number, { open, far }] of this.#connections) {
      if (!open) continue;
      this.#connections.delete(number);
      far.closed(false);
    }
    this.#listener.left(link.host);
    this.#seek();
  }

  #leave(error: SharedBrokerError): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    link.watching.abort();
    link.heartbeat?.stop();
    link.wire.close();
    this.#kept.push(...link.frees);
    if (this.#over) this.#free();
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }

  #free(): void {
    for (const free of this.#kept.splice(0)) void free();
  }

  #begin(number: number, connection: Connection): void {
    if (this.#link?.storage === undefined) return;
    connection.open = true;
    this.#link.wire.send(['open', number]);
    connection.far.opened();
    this.#push(number, connection);
  }

  #push(number: number, connection: Connection): void {
    while (connection.open && connection.credit > 0) {
      const bytes = connection.waiting.shift();
      if (bytes === undefined) return;
      connection.credit -= bytes.length;
      this.#link?.wire.send(['data', number, bytes]);
    }
  }

  #frame(link: Link, frame: Frame): void {
    link.heartbeat?.heard();
    switch (frame[0]) {
      case 'welcome': {
        const { storage, mode } = frame[1];
        link.storage = storage;
        for (const event of this.#watches) link.wire.send(['watch', event]);
        this.#listener.joined(link.epoch, mode, link.host, storage);
        for (const [number, connection] of this.#connections) this.#begin(number, connection);
        break;
      }
      case 'data':
        this.#connections.get(frame[1])?.far.deliver(frame[2]);
        break;
      case 'took': {
        const connection = this.#connections.get(frame[1]);
        if (connection === undefined) break;
        connection.credit += frame[2];
        connection.far.taken(frame[2]);
        this.#push(frame[1], connection);
        break;
      }
      case 'close': {
        const connection = this.#connections.get(frame[1]);
        this.#connections.delete(frame[1]);
        connection?.far.closed(frame[2]);
        break;
      }
      case 'result':
      case 'error':
        this.#answer(frame[1], frame);
        break;
      case 'event':
        this.#listener.event(frame[1], frame[2]);
        break;
      case 'ping':
        link.wire.send(['pong']);
        break;
      case 'bye':
        this.#lost();
        break;
      case 'open':
      case 'call':
      case 'watch':
      case 'unwatch':
      case 'pong':
        break;
    }
  }

  #answer(number: number, frame: Extract<Frame, ['result' | 'error', ...unknown[]]>): void {
    const call = this.#calls.get(number);
    this.#calls.delete(number);
    if (frame[0] === 'result') call?.resolve(frame[2]);
    else call?.reject(errorOf(frame[2]));
  }
}
