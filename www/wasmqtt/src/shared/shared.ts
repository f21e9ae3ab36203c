/**
 * One broker for all tabs of an origin. It runs in a SharedWorker where there are such; else in a tab that the tabs
 * elect by a Web Lock; else each page has a broker of its own, and `mode` says so. When the host goes, another takes its
 * place and, if there is storage, its state: sockets are cut, clients connect again and resume.
 */

import { BUILD } from '../storage/store.js';
import { campaign, type Host } from './host.js';
import { type HostedOptions, makeHosted } from './hosted.js';
import { type Far, Member, type Near, SharedBrokerError } from './member.js';
import { type Channel, type Place, thisPlace } from './place.js';
import { type Failure, type Mode, PROTOCOL } from './protocol.js';
import type { Configure, Here } from './worker.js';

export { SharedBrokerError } from './member.js';
export type { Mode } from './protocol.js';

/** What `SharedBroker.connect` takes; what is left out has its default. */
export interface SharedBrokerOptions extends HostedOptions {
  /** Which broker: pages with the same name share one. 1 to 100 characters without `:`, `/` and `\`. */
  name: string;
  /**
   * What to try first. `shared-worker`, the default, needs one module SharedWorker; `tab` elects a tab, which needs Web
   * Locks. Whatever is not there is passed over, in the end for a broker of this page's own.
   */
  prefer?: 'shared-worker' | 'tab';
  /**
   * The worker: the URL of a file that imports `wasmqtt/shared-worker` or calls `serveShared`, or a function that makes
   * the worker, which every bundler understands. It must be a module worker and the same in all pages. `false`: none.
   * Default: the file `shared-worker.js` beside this one.
   */
  worker?: URL | string | (() => SharedWorker) | false;
  /** How long a silent tab or host counts as alive where there are no Web Locks, in milliseconds. Default 5,000. */
  heartbeatMs?: number;
  /** How long `connect` waits for a host, in milliseconds. Default 15,000. */
  timeoutMs?: number;
}

/** What `on` tells, by name. */
export interface SharedBrokerEvents {
  /** Another host took over. Every socket was cut; clients that connect again go on where they were. */
  moved: { epoch: number; mode: Mode; hosting: boolean };
  /** A newer build serves this name. This page can't use it any more: ask the user to reload. */
  outdated: SharedBrokerError;
  /** Nobody could make a broker, for instance because its storage is damaged. */
  failed: SharedBrokerError;
}

type Handler = (value: never) => void;

const WORKER_MS = 5_000;

export class SharedBroker {
  #place: Place;
  #options: SharedBrokerOptions;
  #id: string;
  #member: Member | undefined;
  #handlers = new Map<string, Set<Handler>>();
  #mode: Mode = 'own';
  #why: string | undefined;
  #epoch = 0;
  #storage = 'memory:';
  #host: Host | undefined;
  #hosting: Promise<unknown> | undefined;
  #withdraw = new AbortController();
  /** The worker that this page is connected to. */
  #worker: Promise<{ id: string; port: MessagePort } | undefined> = Promise.resolve(undefined);
  #port: MessagePort | undefined;
  #first: { resolve(): void; reject(error: unknown): void } | undefined;

  private constructor(options: SharedBrokerOptions) {
    this.#place = thisPlace();
    this.#options = options;
    this.#id = this.#place.id();
  }

  /**
   * Joins the broker of this name, which begins with the first page that does so. All pages ask for the same storage;
   * of the other options those of the page that the host was made for count.
   * @throws TypeError for wrong options; SharedBrokerError `failed` with the broker's own error as its cause,
   * `outdated`, `options`, `timeout`.
   */
  static async connect(options: SharedBrokerOptions): Promise<SharedBroker> {
    checkOptions(options);
    const shared = new SharedBroker(options);
    try {
      await shared.#start();
    } catch (error) {
      await shared.close();
      throw error;
    }
    return shared;
  }

  /** Where the broker runs. `own`: this page has one for itself; `why` says for what reason. */
  get mode(): Mode {
    return this.#mode;
  }

  /** Whether it runs in this very page. */
  get hosting(): boolean {
    return this.#host !== undefined;
  }

  /** Why it does not run where `prefer` asked for; `undefined` if it does. */
  get why(): string | undefined {
    return this.#why;
  }

  /** Grows with every host. */
  get epoch(): number {
    return this.#epoch;
  }

  /** What the broker stores in. */
  get storage(): string {
    return this.#storage;
  }

  async #start(): Promise<void> {
    const { timeoutMs = 15_000, prefer = 'shared-worker', name } = this.#options;
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
    this.#why = reasons.length > 0 ? reasons.join('; ') : undefined;
    const cancel = this.#place.after(timeoutMs, () => {
      const waits = `'${name}' had no host within ${timeoutMs} ms (timeoutMs); perhaps another Broker has '${this.#options.storage}' open`;
      this.#first?.reject(new SharedBrokerError('timeout', waits));
    });
    this.#enter(chosen);
    await ready.finally(cancel);
  }

  #enter(mode: Mode): void {
    // Alone nobody listens, so no channel is needed, which such places may not have.
    const place: Place = mode === 'own' ? { ...this.#place, locks: undefined, channel: silent } : this.#place;
    const { name, heartbeatMs = 5_000 } = this.#options;
    const direct = (host: string, of: Mode) => this.#direct(host, of);
    this.#member = new Member(
      place,
      { name, id: this.#id, protocol: PROTOCOL, heartbeatMs, direct },
      {
        joined: (epoch, joinedMode, _, storage) => this.#joined(epoch, joinedMode, storage),
        left: () => void this.#left(),
        failed: (error) => this.#failed(error),
        outdated: () => this.#outdated(),
        event: (event, value) => this.#emit(event, value),
      },
    );
    if (mode === 'shared-worker') this.#port?.postMessage(this.#configure());
    else this.#campaign(place, mode);
  }

  #campaign(place: Place, mode: Mode): void {
    const { name } = this.#options;
    const signal = this.#withdraw.signal;
    const make = () => makeHosted(brokerOptions(this.#options), signal);
    this.#hosting = campaign(place, { name, mode, id: this.#id, protocol: PROTOCOL, make, signal }).then(
      (host) => {
        this.#host = host;
        host.onover = () => {
          this.#host = undefined;
        };
        if (mode === 'own') this.#member?.hear(host.announcement);
      },
      (error: unknown) => {
        if (!signal.aborted) this.#failed(error as Failure);
      },
    );
  }

  /** Why there can be no elected tab here. */
  async #noTab(): Promise<string | undefined> {
    if (typeof BroadcastChannel === 'undefined') return 'there is no BroadcastChannel';
    if (this.#place.locks === undefined) return 'there are no Web Locks (they need a secure context)';
    return this.#place.locks.query().then(
      () => undefined,
      (error: unknown) => `Web Locks are refused here (${String(error)})`,
    );
  }

  /** Starts or joins the worker; why there is none, if there is none. */
  async #noWorker(): Promise<string | undefined> {
    if (this.#options.worker === false) return 'switched off by the option worker';
    if (typeof SharedWorker === 'undefined') return 'there are no SharedWorkers';
    try {
      await this.#connectWorker();
      return undefined;
    } catch (error) {
      if (error instanceof SharedBrokerError && error.code === 'outdated') throw error;
      return `the worker did not start (${error instanceof Error ? error.message : String(error)})`;
    }
  }

  #connectWorker(): Promise<void> {
    const started = new Promise<{ id: string; port: MessagePort }>((resolve, reject) => {
      const worker = this.#makeWorker();
      const cancel = this.#place.after(WORKER_MS, () => reject(new Error(`it was silent for ${WORKER_MS} ms`)));
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

  #makeWorker(): SharedWorker {
    const { worker } = this.#options;
    if (typeof worker === 'function') return worker();
    if (worker !== undefined && worker !== false) return new SharedWorker(worker, { type: 'module', name: 'wasmqtt' });
    return new SharedWorker(new URL('./shared-worker.js', import.meta.url), { type: 'module', name: 'wasmqtt' });
  }

  #configure(): Configure {
    const { name } = this.#options;
    return { configure: { name, protocol: PROTOCOL, options: brokerOptions(this.#options) } };
  }

  /** A wire that is no channel, if the host is in this page or in our worker. */
  async #direct(host: string, mode: Mode): Promise<Channel | undefined> {
    if (host === this.#id) {
      await this.#hosting;
      const { port1, port2 } = new MessageChannel();
      port2.onmessage = ({ data }) => this.#host?.hear(data, port2);
      return port1;
    }
    const worker = mode === 'shared-worker' ? await this.#worker : undefined;
    return worker?.id === host ? worker.port : undefined;
  }

  #joined(epoch: number, mode: Mode, storage: string): void {
    const { storage: wished = 'memory:', name } = this.#options;
    const moved = this.#epoch !== 0;
    this.#epoch = epoch;
    this.#mode = mode;
    this.#storage = storage;
    if (storage !== wished && !moved) {
      const what = `'${name}' is served with storage '${storage}', and this page asks for '${wished}'`;
      this.#first?.reject(new SharedBrokerError('options', what));
      return;
    }
    this.#first?.resolve();
    this.#first = undefined;
    if (moved) this.#emit('moved', { epoch, mode, hosting: this.hosting });
  }

  /** The host is gone. If it may have been our worker, a new one is started; it may take the dying one a while to go. */
  async #left(): Promise<void> {
    if (this.#port === undefined) return;
    this.#port.close();
    while (!this.#withdraw.signal.aborted) {
      try {
        await this.#connectWorker();
        this.#port.postMessage(this.#configure());
        return;
      } catch (error) {
        if (error instanceof SharedBrokerError) return this.#outdated();
        // It is asked for again until there is a host, whoever that is.
      }
    }
  }

  #failed(error: Failure): void {
    const failed = new SharedBrokerError(
      'failed',
      `no broker could be made for '${this.#options.name}': ${error.message}`,
      error,
    );
    if (this.#first !== undefined) this.#first.reject(failed);
    else this.#emit('failed', failed);
  }

  #outdated(): void {
    this.#withdraw.abort();
    const error = outdated(this.#options.name);
    if (this.#first !== undefined) this.#first.reject(error);
    else this.#emit('outdated', error);
  }

  /** Calls back at an event, of the shared broker itself or of the broker; the function that comes back ends it. */
  on<E extends keyof SharedBrokerEvents>(event: E, handler: (value: SharedBrokerEvents[E]) => void): () => void {
    const handlers = this.#handlers.get(event) ?? new Set();
    this.#handlers.set(event, handlers.add(handler));
    if (!own.includes(event)) this.#member?.watch(event);
    return () => void handlers.delete(handler);
  }

  /** A raw connection: the bytes of MQTT packets, split and joined as they come. It waits while there is no host. */
  open(far: Far): Near {
    if (this.#member === undefined) throw new SharedBrokerError('closed', 'the shared broker was closed');
    return this.#member.open(far);
  }

  /** Leaves: sockets of this page are cut. If the broker runs in this page, it is stored and moves to another. */
  async close(): Promise<void> {
    this.#withdraw.abort();
    this.#member?.close();
    this.#member = undefined;
    await this.#host?.close();
    this.#port?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #emit(event: string, value: unknown): void {
    for (const handler of this.#handlers.get(event) ?? []) (handler as (value: unknown) => void)(value);
  }
}

const own: string[] = ['moved', 'outdated', 'failed'];

/** What a broker is made with; it can be sent to a worker. */
function brokerOptions({
  name: _,
  prefer,
  worker,
  heartbeatMs,
  timeoutMs,
  ...rest
}: SharedBrokerOptions): HostedOptions {
  return rest;
}

/** @throws TypeError that names the option. */
function checkOptions({ name, prefer, worker, heartbeatMs, timeoutMs }: SharedBrokerOptions): void {
  const wrong = (option: string, value: unknown, allowed: string) =>
    new TypeError(`${option}: ${JSON.stringify(value) ?? String(value)} is not allowed; it is ${allowed}`);
  if (typeof name !== 'string' || !/^[^:/\\]{1,100}$/.test(name)) {
    throw wrong('name', name, "a string of 1 to 100 characters without ':', '/' and '\\'");
  }
  if (prefer !== undefined && prefer !== 'shared-worker' && prefer !== 'tab') {
    throw wrong('prefer', prefer, "'shared-worker' or 'tab'");
  }
  const isUrl = typeof worker === 'string' || worker instanceof URL;
  if (worker !== undefined && worker !== false && typeof worker !== 'function' && !isUrl) {
    throw wrong('worker', worker, 'a URL, a function that makes a SharedWorker, or false');
  }
  for (const [option, value] of Object.entries({ heartbeatMs, timeoutMs })) {
    if (value !== undefined && !(Number.isFinite(value) && value >= 100))
      throw wrong(option, value, 'milliseconds, at least 100');
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
