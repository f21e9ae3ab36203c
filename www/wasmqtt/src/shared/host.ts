/**
 * The host's side: one broker, and the members that use it. Each connection of a member is a transport of the broker; a
 * member that dies is a lost connection for each of them, so their Wills are published. How it is known: the member
 * holds a Web Lock and the host waits for it; where there are none, it stops to answer.
 *
 * `campaign` makes a context host: it waits for the one lock, takes the next epoch and makes the broker.
 */
import { reportLater } from '../events.js';
import { type Free, hold } from '../storage/lock.js';
import { type Channel, controlOf, framesOf, Heartbeat, type Place, Wire } from './place.js';
import {
  aliveLock,
  type Control,
  CREDIT_BYTES,
  controlName,
  epochOf,
  type Frame,
  failureOf,
  hostLock,
  type Mode,
  memberLock,
  wireName,
} from './protocol.js';

/** One transport, as the broker sees it. */
export interface HostedConnection {
  /** Bytes came from the client. */
  received(bytes: Uint8Array): void;
  /** The client took this many bytes and can take as many more. */
  taken(bytes: number): void;
  /** Bytes that came and that the broker does not want yet. */
  unread(): number;
  /** The client is gone. */
  gone(): void;
}

/** What the broker tells of a transport. */
export interface HostedLink {
  deliver(bytes: Uint8Array<ArrayBuffer>): void;
  /** It is over; `clean` if the broker ended it as MQTT says. */
  close(clean: boolean): void;
  /** Nothing is unread any more. */
  resumed(): void;
}

/** The broker, as its host needs it. */
export interface Hosted {
  /** What it stores in, as in `Broker.create`. */
  readonly storage: string;
  /** Resolves when the broker has ended by itself, since its store was taken away or deleted. */
  readonly lost: Promise<void>;
  /** Opens a transport; `creditBytes` may be under way to it. */
  connect(link: HostedLink, creditBytes: number): HostedConnection;
  /** Calls one of the functions that members may call. */
  call(name: string, args: unknown[]): Promise<unknown>;
  /** Tells of an event from now on; the function that comes back ends it. */
  watch(event: string, tell: (value: unknown) => void): () => void;
  /** Stores what waits and ends. */
  close(): Promise<void>;
}

/** How to become host. */
export interface CampaignOptions {
  name: string;
  mode: Mode;
  /** The name of this context. */
  id: string;
  protocol: number;
  /** Makes the broker; it may wait for its store. */
  make(): Promise<Hosted>;
  /** Gives up. */
  signal: AbortSignal;
}

/**
 * Waits until no other context is host and becomes it. Without locks it becomes it at once: only a SharedWorker, which
 * exists once by itself, may ask then.
 * @throws what `make` throws; `AbortError` when `signal` gave up.
 */
export async function campaign(place: Place, options: CampaignOptions): Promise<Host> {
  const { name, signal } = options;
  const free = await hold(place.locks, hostLock(name), { wait: true, signal });
  const frees: Free[] = typeof free === 'function' ? [free] : [];
  const release = async () => {
    for (const one of frees.splice(0)) await one();
  };
  try {
    const epoch = await nextEpoch(place, name);
    const alive = await hold(place.locks, aliveLock(name, epoch));
    if (typeof alive === 'function') frees.unshift(alive);
    const broker = await options.make();
    const host = new Host(place, options, epoch, broker, release);
    if (signal.aborted) await host.close();
    signal.throwIfAborted();
    return host;
  } catch (error) {
    await release();
    throw error;
  }
}

async function nextEpoch(place: Place, name: string): Promise<number> {
  if (place.locks === undefined) return Date.now();
  const { held = [] } = await place.locks.query();
  return epochOf(name, held) + 1;
}

/** A connection, and how many of its bytes the broker has not taken yet. */
interface Served {
  connection: HostedConnection;
  owed: number;
}

/** A member, as its host sees it. */
interface Remote {
  wire: Wire;
  connections: Map<number, Served>;
  /** How to end each event that it watches. */
  watches: Map<string, () => void>;
  heartbeat: Heartbeat | undefined;
  /** Ends the waiting for its lock. */
  given: AbortController;
}

/** Why a context is host no more: it wished so, a newer build is about, or the broker lost its store. */
export type Over = 'closed' | 'outdated' | 'lost';

/** The one context that runs the broker. */
export class Host {
  readonly epoch: number;
  /** Called once when this context is host no more, and why. */
  onover: ((why: Over) => void) | undefined;
  /** Called when the last member has gone. */
  onempty: (() => void) | undefined;
  #place: Place;
  #options: CampaignOptions;
  #broker: Hosted;
  #release: () => Promise<void>;
  #control: Channel;
  #remotes = new Map<string, Remote>();
  #over: Promise<void> | undefined;

  constructor(place: Place, options: CampaignOptions, epoch: number, broker: Hosted, release: () => Promise<void>) {
    this.#place = place;
    this.#options = options;
    this.epoch = epoch;
    this.#broker = broker;
    this.#release = release;
    this.#control = place.channel(controlName(options.name));
    this.#control.onmessage = ({ data }) => this.hear(data);
    this.#control.postMessage(this.announcement);
    void broker.lost.then(() => this.close('lost'));
  }

  /** How many members there are. */
  get members(): number {
    return this.#remotes.size;
  }

  /** What the host says of itself. */
  get announcement(): Control {
    const { protocol, id, mode } = this.#options;
    return { say: 'host', protocol, from: id, epoch: this.epoch, mode };
  }

  /** A message of the shared channel; `port` if it came on a port of its own. */
  hear(message: unknown, port?: Channel): void {
    const control = controlOf(message);
    if (control === undefined || this.#over !== undefined) return;
    if (control.protocol > this.#options.protocol) {
      void this.close('outdated');
      return;
    }
    if (control.say === 'who') (port ?? this.#control).postMessage(this.announcement);
    if (control.say !== 'join' || control.epoch !== this.epoch || control.protocol !== this.#options.protocol) return;
    const { from, locked, heartbeatMs } = control;
    this.#admit(from, locked, heartbeatMs, port ?? this.#place.channel(wireName(this.#options.name, this.epoch, from)));
  }

  /** Ends: what waits is stored, members hear of it, and the next candidate is host when this resolves. */
  close(why: Over = 'closed'): Promise<void> {
    this.#over ??= (async () => {
      this.#control.onmessage = null;
      for (const id of [...this.#remotes.keys()]) this.#forget(id, true);
      await this.#broker.close().catch(() => {});
      this.#control.close();
      await this.#release();
      this.onover?.(why);
    })();
    return this.#over;
  }

  #admit(id: string, locked: boolean, heartbeatMs: number, channel: Channel): void {
    if (this.#remotes.has(id)) this.#forget(id, false);
    const wire = new Wire(channel, this.epoch);
    const given = new AbortController();
    const remote: Remote = { wire, connections: new Map(), watches: new Map(), heartbeat: undefined, given };
    this.#remotes.set(id, remote);
    const gone = () => {
      if (this.#remotes.get(id) === remote) this.#forget(id, false);
    };
    if (locked && this.#place.locks !== undefined) {
      hold(this.#place.locks, memberLock(this.#options.name, this.epoch, id), {
        wait: true,
        signal: given.signal,
      }).then(
        (free) => {
          if (typeof free === 'function') void free();
          gone();
        },
        () => {},
      );
    } else {
      remote.heartbeat = new Heartbeat(this.#place, heartbeatMs, () => wire.send(['ping']), gone);
    }
    channel.onmessage = ({ data }) => {
      if (this.#remotes.get(id) !== remote) return;
      // A port goes on to carry what is said about hosts.
      if (controlOf(data) !== undefined) this.hear(data, channel);
      for (const frame of framesOf(data, this.epoch)) {
        // One that can't be done, such as an event that only a newer build has, must not lose those behind it.
        try {
          this.#frame(id, remote, frame);
        } catch (error) {
          reportLater(error);
        }
      }
    };
    const { mode } = this.#options;
    wire.send(['welcome', { mode, storage: this.#broker.storage, locked: this.#place.locks !== undefined }]);
  }

  #forget(id: string, tell: boolean): void {
    const remote = this.#remotes.get(id);
    if (remote === undefined) return;
    this.#remotes.delete(id);
    if (tell) remote.wire.send(['bye']);
    remote.given.abort();
    remote.heartbeat?.stop();
    for (const end of remote.watches.values()) end();
    for (const { connection } of remote.connections.values()) connection.gone();
    remote.wire.close();
    if (this.#remotes.size === 0 && this.#over === undefined) this.onempty?.();
  }

  #frame(id: string, remote: Remote, frame: Frame): void {
    remote.heartbeat?.heard();
    switch (frame[0]) {
      case 'open':
        this.#open(remote, frame[1]);
        break;
      case 'data': {
        const served = remote.connections.get(frame[1]);
        if (served === undefined) break;
        served.owed += frame[2].length;
        served.connection.received(frame[2]);
        // What the broker does not want yet stays the client's burden: it has so many bytes less to send.
        if (served.connection.unread() === 0) this.#pay(remote, frame[1], served);
        break;
      }
      case 'took':
        remote.connections.get(frame[1])?.connection.taken(frame[2]);
        break;
      case 'close':
        remote.connections.get(frame[1])?.connection.gone();
        remote.connections.delete(frame[1]);
        break;
      case 'call':
        this.#call(remote, frame[1], frame[2], frame[3]);
        break;
      case 'watch':
        this.#watch(remote, frame[1]);
        break;
      case 'unwatch':
        remote.watches.get(frame[1])?.();
        remote.watches.delete(frame[1]);
        break;
      case 'ping':
        remote.wire.send(['pong']);
        break;
      case 'bye':
        this.#forget(id, false);
        break;
      case 'welcome':
      case 'result':
      case 'error':
      case 'event':
      case 'pong':
        break;
    }
  }

  #open(remote: Remote, number: number): void {
    const link: HostedLink = {
      deliver: (bytes) => remote.wire.send(['data', number, bytes]),
      close: (clean) => {
        if (remote.connections.delete(number)) remote.wire.send(['close', number, clean]);
      },
      resumed: () => this.#pay(remote, number, served),
    };
    const served: Served = { connection: this.#broker.connect(link, CREDIT_BYTES), owed: 0 };
    remote.connections.set(number, served);
  }

  #pay(remote: Remote, number: number, served: Served): void {
    if (served.owed > 0) remote.wire.send(['took', number, served.owed]);
    served.owed = 0;
  }

  #watch(remote: Remote, event: string): void {
    remote.watches.get(event)?.();
    remote.watches.set(
      event,
      this.#broker.watch(event, (value) => remote.wire.send(['event', event, value])),
    );
  }

  #call(remote: Remote, number: number, name: string, args: unknown[]): void {
    this.#broker.call(name, args).then(
      (value) => remote.wire.send(['result', number, value]),
      (error: unknown) => remote.wire.send(['error', number, failureOf(error)]),
    );
  }
}
