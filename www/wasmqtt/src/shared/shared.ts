/**
 * One broker for all tabs of an origin. It runs in a SharedWorker where there are such; else in a tab that the tabs
 * elect by a Web Lock; else each page has a broker of its own, and `mode` says so. When the host goes, another takes its
 * place and, if there is storage, its state: sockets are cut, clients connect again and resume.
 */
import type { Bridge, BridgeOptions } from '../bridge.js';
import { Broker } from '../broker.js';
import type { KickOptions, Payload, PublishOptions } from '../commands.js';
import { type BrokerEvents, EVENT_NAMES, type Qos, reportLater } from '../events.js';
import type { BrokerView, SessionView } from '../inspect.js';
import type { Message } from '../local.js';
import { type Limits, only, type Permissions, text, whole, wrong } from '../options.js';
import { type PortOptions, servePort } from '../port.js';
import { scheduler } from '../schedule.js';
import { BrokerSocket, offered } from '../socket.js';
import { BRIDGES, KnownBridges } from './bridges.js';
import { hosted, type SubscriptionEvent } from './hosted.js';
import { Joining } from './join.js';
import type { SharedBrokerError } from './member.js';
import { checkOptions, hostedOptions, makeWorker, type SharedBrokerOptions } from './options.js';
import { errorOf, type Mode } from './protocol.js';
import { connectSocket, portEngine } from './sockets.js';

/** What `on` tells beside the events of the broker. */
export interface SharedBrokerEvents extends BrokerEvents {
  /** Another host took over. Every socket was cut; clients that connect again go on where they were. */
  moved: { epoch: number; mode: Mode; hosting: boolean };
  /** A newer build serves this name, and this page can't use it any more: ask for a reload. */
  outdated: SharedBrokerError;
  /** After a move nobody could make a broker, for instance because its storage is damaged. */
  failed: SharedBrokerError;
}

type Handler = (value: never) => void;

/** The events that are not the broker's. */
const OWN = ['moved', 'outdated', 'failed'];

/** A broker that the tabs of an origin share. Get it with `SharedBroker.connect`. */
export class SharedBroker {
  #options: SharedBrokerOptions;
  #joining: Joining;
  #handlers = new Map<string, Set<Handler>>();
  #schedule = scheduler();
  #doors = new Set<() => void>();
  #bridges = new KnownBridges();
  #subscriptions = 0;
  /** The browser's answer to `persist`; `undefined` if it was not asked. */
  readonly persisted: boolean | undefined;

  private constructor(options: SharedBrokerOptions, persisted: boolean | undefined) {
    const { name, prefer = 'shared-worker', heartbeatMs = 5_000, timeoutMs = 15_000, worker, create } = options;
    const { storage = 'memory:' } = options;
    const rest = hostedOptions(options);
    this.#options = options;
    this.persisted = persisted;
    this.#joining = new Joining({
      ...{ name, prefer, heartbeatMs, timeoutMs, storage },
      makeWorker: worker === false ? undefined : () => makeWorker(worker),
      configure: rest,
      make: async (signal) => hosted(await (create ?? Broker.create)({ ...rest, wait: true, signal }), storage),
      moved: () => {
        this.#bridges.moved((options) => this.#call('bridge', options), reportLater);
        this.#emit('moved', { epoch: this.epoch, mode: this.mode, hosting: this.hosting });
      },
      outdated: (error) => this.#emit('outdated', error),
      failed: (error) => this.#emit('failed', error),
      event: (event, value) => this.#emit(event, value),
    });
  }

  /**
   * Joins the broker of this name, which begins with the first page that does so. All pages must ask for the same
   * storage; of the other options those of the page that the host was made for count.
   * @throws TypeError for wrong options; SharedBrokerError with `code` `failed` (the broker's own error is its
   * `cause`), `outdated`, `options` or `timeout`.
   * @example
   * const broker = await SharedBroker.connect({ name: 'home', storage: 'idb:home' });
   * const client = mqtt.connect('ws://home.invalid/mqtt', { createWebsocket: broker.createWebsocket });
   */
  static async connect(options: SharedBrokerOptions): Promise<SharedBroker> {
    checkOptions(options);
    // Only a page can ask; the broker may be in a worker.
    const persisted = options.persist === true ? await globalThis.navigator?.storage?.persist?.() : undefined;
    const shared = new SharedBroker(options, persisted);
    try {
      await shared.#joining.start();
      shared.#on(BRIDGES, (bridges: BridgeOptions[]) => shared.#bridges.heard(bridges));
    } catch (error) {
      await shared.close();
      throw error;
    }
    return shared;
  }

  /** Where the broker runs. `own`: this page has one for itself; `why` says for what reason. */
  get mode(): Mode {
    return this.#joining.mode;
  }

  /** Whether it runs in this very page. */
  get hosting(): boolean {
    return this.#joining.host !== undefined;
  }

  /** Why this page could not have what `prefer` asks for first; `undefined` if it could. */
  get why(): string | undefined {
    return this.#joining.why;
  }

  /** Grows with every host. */
  get epoch(): number {
    return this.#joining.epoch;
  }

  /** What MQTT.js takes as `createWebsocket`; it may be passed on alone. While there is no host, sockets wait. */
  readonly createWebsocket = (url: string, protocols?: string | readonly string[]): BrokerSocket =>
    new BrokerSocket(url, offered(protocols), (socket, wanted) => {
      const { allowNoSubprotocol = false, timeoutMs = 15_000 } = this.#options;
      const { opener, place } = this.#joining;
      const later = this.#schedule;
      return connectSocket(opener, socket, wanted, {
        allowNone: allowNoSubprotocol,
        after: place.after,
        timeoutMs,
        later,
      });
    });

  /** A socket for clients that take an instance: `client.with_websock(broker.websocket())`. */
  websocket(protocols: string | readonly string[] = 'mqtt'): BrokerSocket {
    return this.createWebsocket('ws://wasmqtt.invalid/mqtt', protocols);
  }

  /** One end of a MessagePort whose other end is a connection to the broker, as `Broker.port`. */
  port(options: PortOptions = {}): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.accept(port1, options);
    return port2;
  }

  /** Serves the client at the other end of this port; the function that comes back cuts it off. */
  accept(port: MessagePort, options: PortOptions = {}): () => void {
    if (typeof port?.postMessage !== 'function') throw wrong('port', port, 'a MessagePort');
    const engine = portEngine(this.#joining.member);
    const cut = servePort(engine, port, options, this.#schedule, () => this.#doors.delete(cut));
    this.#doors.add(cut);
    return cut;
  }

  /**
   * Calls a function with every event of a name; the function that comes back ends that. Events of the broker come from
   * whatever host there is; what it tells while this page has no host is not heard.
   * @throws TypeError for a name that there is not.
   */
  on<N extends keyof SharedBrokerEvents>(name: N, handler: (event: SharedBrokerEvents[N]) => void): () => void {
    const names: string[] = [...OWN, ...EVENT_NAMES];
    if (!names.includes(name)) throw wrong('on', name, names.join(', '));
    if (typeof handler !== 'function') throw wrong('handler', handler, 'a function');
    return this.#on(name, handler);
  }

  /** All bridges, Sessions and Retained Messages, as `Broker.inspect`. @throws SharedBrokerError `moved` if the host goes. */
  inspect(): Promise<BrokerView>;
  /** One Session; `undefined` if there is none of this Client Identifier. */
  inspect(clientIdentifier: string): Promise<SessionView | undefined>;
  inspect(...args: [string?]): Promise<BrokerView | SessionView | undefined> {
    return this.#call('inspect', ...args) as Promise<BrokerView>;
  }

  /** Counters since the host began and gauges of now. @throws SharedBrokerError `moved`. */
  counters(): Promise<Record<string, unknown>> {
    return this.#call('counters') as Promise<Record<string, unknown>>;
  }

  /**
   * Publishes a message as the broker itself.
   * @throws Error with the Reason Code if it is refused; SharedBrokerError `moved`: it may be published or not.
   */
  async publish(topic: string, payload: Payload = '', options: PublishOptions = {}): Promise<void> {
    await this.#call('publish', topic, payload, options);
  }

  /**
   * Hears what matches a Topic Filter, Retained Messages first and after a move again; resolves, once it is granted, to
   * a function that ends it. What is published while there is no host is missed: lasting Sessions are for clients.
   * @throws TypeError that names what is wrong; Error if it is refused.
   */
  async subscribe(
    filter: string,
    handler: (message: Message) => void,
    options: { qos?: Qos } = {},
  ): Promise<() => void> {
    only('options', options, ['qos']);
    text('filter', filter, 'a Topic Filter');
    if (typeof handler !== 'function') throw wrong('handler', handler, 'a function');
    const qos = whole('qos', options.qos ?? 0, 0, 2);
    this.#subscriptions += 1;
    const event = `subscribe:${this.#subscriptions}:${qos}:${filter}`;
    return new Promise((resolve, reject) => {
      const end = this.#on(event, (told: SubscriptionEvent) => {
        if ('message' in told) handler(told.message);
        else if ('granted' in told) resolve(end);
        else {
          end();
          reject(errorOf(told.error));
        }
      });
    });
  }

  /**
   * Adds a bridge, as `Broker.bridge`. The host dials, and the host after it again: it lasts, whatever becomes of this
   * page, as long as a page has this broker, and goes on where it was if there is a storage. The same again, from another
   * page, changes nothing.
   * @throws TypeError that names a wrong option; Error if a limit does not allow one more; SharedBrokerError `moved`.
   */
  async bridge(options: Omit<BridgeOptions, 'webSocket'>): Promise<{ name: string; remove(): Promise<boolean> }> {
    if ('webSocket' in options) throw new TypeError('webSocket: not for a shared broker; see the option create');
    const name = (await this.#call('bridge', options)) as Bridge['name'];
    return { name, remove: () => this.removeBridge(name) };
  }

  /** Ends a bridge with its Session, whoever added it; gives whether there was one of this name. */
  async removeBridge(name: string): Promise<boolean> {
    const was = (await this.#call('removeBridge', name)) as boolean;
    this.#bridges.forget(name);
    return was;
  }

  /** Ends a client's connection, and its Session too if wished; gives whether there was one. */
  kick(clientIdentifier: string, options: KickOptions = {}): Promise<boolean> {
    return this.#call('kick', clientIdentifier, options) as Promise<boolean>;
  }

  /** New limits, until the broker moves. */
  async setLimits(limits: Partial<Limits>): Promise<void> {
    await this.#call('setLimits', limits);
  }

  /** New permissions, until the broker moves. */
  async setPermissions(permissions: Permissions): Promise<void> {
    await this.#call('setPermissions', permissions);
  }

  /** The durable state as a file, for `Broker.create({ import })`. */
  export(): Promise<Blob> {
    return this.#call('export') as Promise<Blob>;
  }

  /** Tries at once to store again after a failure. Resolves when it is known whether it works. */
  async retryStorage(): Promise<void> {
    await this.#call('retryStorage');
  }

  /**
   * Leaves: sockets of this page are cut, and what lasts of their Sessions stays. If the broker runs in this page, it is
   * stored and moves to another when this resolves. Any number of times.
   */
  async close(): Promise<void> {
    for (const cut of this.#doors) cut();
    this.#doors.clear();
    await this.#joining.close();
  }

  /** Same as `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #call(name: string, ...args: unknown[]): Promise<unknown> {
    return this.#joining.member.call(name, args);
  }

  #on(name: string, handler: Handler): () => void {
    const handlers = this.#handlers.get(name) ?? new Set();
    // The same function may listen twice.
    const own: Handler = (value) => handler(value);
    this.#handlers.set(name, handlers.add(own));
    if (!OWN.includes(name)) this.#joining.member.watch(name);
    return () => {
      if (!handlers.delete(own) || handlers.size > 0) return;
      this.#handlers.delete(name);
      if (!OWN.includes(name)) this.#joining.member.unwatch(name);
    };
  }

  #emit(event: string, value: unknown): void {
    // One that throws must not keep others from hearing, nor frames behind this one from arriving.
    for (const handler of this.#handlers.get(event) ?? []) {
      try {
        (handler as (value: unknown) => void)(value);
      } catch (error) {
        reportLater(error);
      }
    }
  }
}
