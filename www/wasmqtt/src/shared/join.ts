/**
 * How a page gets into a shared broker: it tries a SharedWorker and an election among tabs in the order asked for, and
 * in the end makes a broker of its own. Then it is a member, and perhaps a candidate, until it is closed.
 */
import { BUILD } from '../storage/store.js';
import { campaign, type Host, type Hosted } from './host.js';
import type { HostedOptions } from './hosted.js';
import { Member, SharedBrokerError } from './member.js';
import { type Channel, type Place, thisPlace } from './place.js';
import { type Failure, type Mode, PROTOCOL } from './protocol.js';
import type { Opener } from './sockets.js';
import type { Configure, Here, Leave } from './worker.js';

/** What joining needs to know. */
export interface JoinOptions {
  name: string;
  prefer: 'shared-worker' | 'tab';
  heartbeatMs: number;
  timeoutMs: number;
  /** What the broker is to store in; a host that stores elsewhere is not ours. */
  storage: string;
  /** Makes the worker's object; `undefined`: none is wanted. */
  makeWorker: (() => SharedWorker) | undefined;
  /** What the worker is told of the broker. */
  configure: HostedOptions;
  /** Makes the broker, if it is hosted here. */
  make(signal: AbortSignal): Promise<Hosted>;
  /** What happens later. */
  moved(): void;
  outdated(error: SharedBrokerError): void;
  failed(error: SharedBrokerError): void;
  event(name: string, value: unknown): void;
}

/** How long a worker may take to say that it is there, in milliseconds. */
const WORKER_MS = 5_000;
/** How long it is not asked for again after it did not start, in milliseconds. */
const AGAIN_MS = 1_000;

/** A page's place in a shared broker. */
export class Joining {
  readonly place = thisPlace();
  mode: Mode = 'own';
  why: string | undefined;
  epoch = 0;
  host: Host | undefined;
  #options: JoinOptions;
  #id = this.place.id();
  #member: Member | undefined;
  #closed = false;
  #hosting: Promise<void> | undefined;
  #withdraw = new AbortController();
  #worker: Promise<{ id: string; port: MessagePort } | undefined> = Promise.resolve(undefined);
  #port: MessagePort | undefined;
  #first: { resolve(): void; reject(error: unknown): void } | undefined;

  constructor(options: JoinOptions) {
    this.#options = options;
  }

  /** Joins; resolves with the first host. @throws SharedBrokerError. */
  async start(): Promise<void> {
    const { name, timeoutMs, prefer, storage } = this.#options;
    const ready = new Promise<void>((resolve, reject) => {
      this.#first = { resolve, reject };
    });
    ready.catch(() => {});
    const order: Mode[] = prefer === 'tab' ? ['tab', 'shared-worker'] : ['shared-worker', 'tab'];
    const reasons: string[] = [];
    let chosen: Mode = 'own';
    for (const mode of order) {
      const reason = mode === 'tab' ? await this.#noTab() : await this.#noWorker();
      if (reason === undefined) {
        chosen = mode;
        break;
      }
      reasons.push(`${mode}: ${reason}`);
    }
    this.why = reasons.length > 0 ? reasons.join('; ') : undefined;
    const cancel = this.place.after(timeoutMs, () => {
      const waits = `'${name}' had no host within ${timeoutMs} ms (timeoutMs); perhaps a Broker that is not shared has '${storage}' open`;
      this.#first?.reject(new SharedBrokerError('timeout', waits));
    });
    this.#enter(chosen);
    await ready.finally(cancel);
  }

  /** The member that this page is. @throws SharedBrokerError `closed`. */
  get member(): Member {
    if (this.#member === undefined || this.#closed) {
      throw new SharedBrokerError('closed', 'the shared broker was closed');
    }
    return this.#member;
  }

  /** What opens sockets. Once it is closed it cuts them: clients that try again expect no exception. */
  get opener(): Opener {
    return this.#member ?? this.member;
  }

  /** Leaves. If the broker runs here, it is stored and others can have it when this resolves. */
  async close(): Promise<void> {
    const { name } = this.#options;
    this.#withdraw.abort();
    this.#port?.postMessage({ leave: { name, page: this.#id } } satisfies Leave);
    this.#member?.close();
    this.#closed = true;
    await this.#hosting;
    await this.host?.close();
    this.#port?.close();
  }

  #enter(mode: Mode): void {
    // Alone nobody listens, so no channel is needed, which such places may not have.
    const place: Place = mode === 'own' ? { ...this.place, locks: undefined, channel: silent } : this.place;
    const { name, heartbeatMs } = this.#options;
    const direct = (host: string, of: Mode) => this.#direct(host, of);
    const options = { name, id: this.#id, protocol: PROTOCOL, heartbeatMs, direct };
    this.#member = new Member(place, options, {
      joined: (epoch, joined, _, storage) => this.#joined(epoch, joined, storage),
      left: () => void this.#left(),
      failed: (error) => this.#failed(error),
      outdated: () => this.#outdated(),
      event: this.#options.event,
    });
    if (mode === 'shared-worker') this.#configure();
    else this.#campaign(place, mode);
  }

  #campaign(place: Place, mode: Mode): void {
    const { signal } = this.#withdraw;
    const make = () => this.#options.make(signal);
    this.#hosting = campaign(place, {
      name: this.#options.name,
      mode,
      id: this.#id,
      protocol: PROTOCOL,
      make,
      signal,
    }).then(
      (host) => {
        this.host = host;
        host.onover = (why) => {
          this.host = undefined;
          if (why === 'lost') this.#bereft(place, mode);
        };
        if (mode === 'own') this.#member?.hear(host.announcement);
      },
      (error: unknown) => {
        if (!signal.aborted) this.#failed(error as Failure);
      },
    );
  }

  /** The broker that ran here lost its store: with another one it goes on, unless that would take it from somebody. */
  #bereft(place: Place, mode: Mode): void {
    if (mode !== 'own') this.#campaign(place, mode);
    else
      this.#failed({ name: 'Error', message: `'${this.#options.storage}' was deleted, or another broker has it now` });
  }

  /** Why there can be no elected tab here. */
  async #noTab(): Promise<string | undefined> {
    if (typeof BroadcastChannel === 'undefined') return 'there is no BroadcastChannel';
    if (this.place.locks === undefined) return 'there are no Web Locks, which need a secure context';
    return this.place.locks.query().then(
      () => undefined,
      (error: unknown) => `Web Locks are refused here (${String(error)})`,
    );
  }

  /** Starts or joins the worker; why there is none, if there is none. */
  async #noWorker(): Promise<string | undefined> {
    if (this.#options.makeWorker === undefined) return 'switched off by the option worker';
    if (typeof SharedWorker === 'undefined') return 'there are no SharedWorkers';
    try {
      await this.#connectWorker();
      return undefined;
    } catch (error) {
      if (error instanceof SharedBrokerError) throw error;
      return `the worker did not start (${error instanceof Error ? error.message : String(error)})`;
    }
  }

  #connectWorker(): Promise<void> {
    const started = new Promise<{ id: string; port: MessagePort }>((resolve, reject) => {
      const cancel = this.place.after(WORKER_MS, () => reject(new Error(`it was silent for ${WORKER_MS} ms`)));
      const worker = this.#options.makeWorker?.() as SharedWorker;
      worker.onerror = (event) => {
        cancel();
        reject(new Error(event.message || 'its file could not be loaded'));
      };
      const { port } = worker;
      port.onmessage = ({ data }) => {
        const { worker: id, protocol } = data as Partial<Here>;
        if (id === undefined) {
          this.#member?.hear(data);
          return;
        }
        cancel();
        if (protocol !== undefined && protocol > PROTOCOL) reject(outdated(this.#options.name));
        else resolve({ id, port });
      };
      this.#port = port;
    });
    this.#worker = started.catch(() => undefined);
    return started.then(() => {});
  }

  #configure(): void {
    const { name, configure: options } = this.#options;
    this.#port?.postMessage({ configure: { name, page: this.#id, protocol: PROTOCOL, options } } satisfies Configure);
  }

  /** A wire that is no channel, if the host is in this page or in our worker. */
  async #direct(host: string, mode: Mode): Promise<Channel | undefined> {
    if (host === this.#id) {
      await this.#hosting;
      const { port1, port2 } = new MessageChannel();
      port2.onmessage = ({ data }) => this.host?.hear(data, port2);
      return port1;
    }
    const worker = mode === 'shared-worker' ? await this.#worker : undefined;
    return worker?.id === host ? worker.port : undefined;
  }

  #joined(epoch: number, mode: Mode, storage: string): void {
    const { storage: wished, name } = this.#options;
    this.epoch = Math.max(epoch, this.epoch + 1);
    this.mode = mode;
    if (storage !== wished) {
      const what = `'${name}' is served with storage '${storage}', and this page asks for '${wished}'`;
      this.#told(new SharedBrokerError('options', what), this.#options.failed);
    } else if (this.#first !== undefined) {
      this.#first.resolve();
      this.#first = undefined;
    } else {
      this.#options.moved();
    }
  }

  /** The host is gone. If it may have been our worker, another is asked for: the dying one may take a while to go. */
  async #left(): Promise<void> {
    if (this.#port === undefined) return;
    this.#port.close();
    while (!this.#withdraw.signal.aborted) {
      try {
        await this.#connectWorker();
        this.#configure();
        return;
      } catch (error) {
        if (error instanceof SharedBrokerError) return this.#outdated();
        // It is asked for again until there is one: its file was there once, but a server that is away has no use for haste.
        await new Promise<void>((resolve) => this.place.after(AGAIN_MS, resolve));
      }
    }
  }

  #failed(error: Failure): void {
    const text = `no broker could be made for '${this.#options.name}': ${error.message}`;
    this.#told(new SharedBrokerError('failed', text, error), this.#options.failed);
  }

  #outdated(): void {
    this.#withdraw.abort();
    this.#told(outdated(this.#options.name), this.#options.outdated);
  }

  /** Who waits for the first host hears of it there; later it is an event. */
  #told(error: SharedBrokerError, later: (error: SharedBrokerError) => void): void {
    if (this.#first === undefined) later(error);
    else this.#first.reject(error);
  }
}

function outdated(name: string): SharedBrokerError {
  return new SharedBrokerError(
    'outdated',
    `A newer build of wasmqtt serves '${name}'; this page has ${BUILD}. Reload it to go on.`,
  );
}

function silent(): Channel {
  return { onmessage: null, postMessage() {}, close() {} };
}
