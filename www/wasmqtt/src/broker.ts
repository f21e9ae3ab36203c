/**
 * An MQTT broker inside this page: the core, a clock, a store and the ways in. What a client sees is the core's doing,
 * the very core that the server runs; this file hands things on.
 */
import { Core } from '../generated/wasmqtt.js';
import { infoOf, OWN_VERDICT, openTo, refusal, verdictOf } from './auth.js';
import type { Bridge, BridgeOptions, Bridges } from './bridge.js';
import { ManualClock, RealClock } from './clock.js';
import { type KickOptions, kicking, type Payload, type PublishOptions, publishing } from './commands.js';
import { create, wholeConfig } from './core.js';
import { type Clock, Engine, type Link, type LinkId, type Output } from './engine.js';
import {
  type AuthErrorEvent,
  type BrokerEvents,
  type Counters,
  countersOf,
  decisionOf,
  EVENT_NAMES,
  eventOf,
  Listeners,
  type Qos,
} from './events.js';
import { type AskPage, type BrokerView, inspectAll, inspectOne, type SessionView } from './inspect.js';
import { LocalSubscription, type Message, OWN_ADDRESS } from './local.js';
import { variant } from './names.js';
import {
  type BrokerOptions,
  check,
  configOf,
  type Limits,
  only,
  type Permissions,
  permissionsOf,
  seedOf,
  text,
  whole,
  wrong,
} from './options.js';
import { PageLink } from './page-link.js';
import { type PortOptions, servePort } from './port.js';
import { scheduler } from './schedule.js';
import { packSnapshot, unpackSnapshot } from './snapshot.js';
import { agree, BrokerSocket, bytesOf, type Carried, type Carrier, isBytes, offered } from './socket.js';
import type { Journal } from './storage/journal.js';
import { parseStorage } from './storage/name.js';
import type { Opened, StorageOptions } from './storage/open.js';
import { open, restored, type Stored } from './stored.js';
import { PacketTap } from './taps.js';
import { type TraceEvent, traceOf } from './trace.js';
import { loadCore } from './wasm.js';

/** Where the manual clock begins: 2026-01-01, in microseconds since 1970. */
const MANUAL_BEGIN_US = 1_767_225_600_000_000;

/** What the engine needs to be wired to. */
interface Parts {
  core: Core;
  options: BrokerOptions;
  clock: Clock;
  stored: Stored | undefined;
}

/** An MQTT broker. Make one with `Broker.create`. */
export class Broker {
  #engine: Engine;
  #options: BrokerOptions;
  #clock: Clock;
  #schedule = scheduler();
  #journal: Journal | undefined;
  #opened: Opened | undefined;
  #listeners = new Listeners((name) => this.#listened(name));
  #replies = new Map<number, (reply: unknown, text: string | undefined) => void>();
  #commands = 0;
  /** Client Identifiers by link, for packets. */
  #clients = new Map<string, string>();
  #asking = 0;
  #subscriptions = new Set<LocalSubscription>();
  /** Loaded with the first one. */
  #bridges: Bridges | undefined;
  #loading: Promise<Bridges> | undefined;
  /** Ways in that are open, to be cut off at the end. */
  #doors = new Set<() => void>();
  #closed: Promise<void> | undefined;

  private constructor({ core, options, clock, stored }: Parts) {
    this.#options = options;
    this.#clock = clock;
    this.#opened = stored;
    this.#engine = new Engine(
      core,
      clock,
      { output: (output) => this.#output(output), append: (lsns, records) => this.#journal?.append(lsns, records) },
      this.#schedule,
    );
    if (stored !== undefined) {
      const source = {
        settle: () => this.#engine.run(),
        records: () => core.records() as Uint8Array[],
        stored: (upto: number) => this.#engine.input({ Stored: { upto } }),
        failed: (from: number) => this.#engine.input({ StoreFailed: { from } }),
      };
      this.#journal = stored.makeJournal(stored.store, stored.log, source, (event) => {
        this.#tell('storage', event);
        // Whoever has the store now has the Sessions.
        if (event.type === 'lost') void this.close();
      });
    }
    // What a restored broker owes, Wills that came due while it was away say, is due at once.
    this.#engine.run();
  }

  /**
   * Makes a broker; resolves when it can be used.
   * @throws TypeError that names a wrong option; Error if the core can't be loaded; StoreError if the storage can't be
   * opened, with `code` `busy` if another broker has it.
   * @example
   * const broker = await Broker.create({ storage: 'idb:home' });
   * const client = mqtt.connect('ws://home.invalid/mqtt', { createWebsocket: broker.createWebsocket });
   */
  static async create(options: BrokerOptions = {}): Promise<Broker> {
    check(options);
    const storage = options.storage ?? 'memory:';
    const config = configOf(options, storage === 'memory:' ? 'Memory' : 'Log', false);
    const seed = seedOf(options.seed);
    await loadCore(options.wasm);
    const stored = await open(storage, options);
    try {
      const core = stored === undefined ? create(config, seed) : restored(config, seed, stored);
      const clock = options.clock === 'manual' ? new ManualClock(MANUAL_BEGIN_US) : new RealClock();
      const broker = new Broker({ core, options, clock, stored });
      if (stored !== undefined) {
        const { log, persisted, tornBytes } = stored;
        const read = { records: log.records.length, bytes: log.bytes };
        // Who made it can listen before this is told.
        broker.#schedule(() => broker.#tell('storage', { type: 'opened', storage, ...read, tornBytes, persisted }));
      }
      return broker;
    } catch (error) {
      stored?.store.close();
      await stored?.release();
      throw error;
    }
  }

  /**
   * Deletes a storage with all that is in it. There is no way back.
   * @throws StoreError `busy` while a broker has it open; TypeError for what is no storage.
   */
  static async destroy(storage: string, options: StorageOptions = {}): Promise<void> {
    parseStorage(storage);
    const { destroyStorage } = await import('./storage/open.js');
    return destroyStorage(storage, options);
  }

  /** What MQTT.js takes as `createWebsocket`; it may be passed on alone. The host of the URL doesn't matter. */
  readonly createWebsocket = (url: string, protocols?: string | readonly string[]): BrokerSocket =>
    new BrokerSocket(url, offered(protocols), (socket, wanted) => this.#connect(socket, wanted));

  /** A socket into the broker, for clients that take an instance: `client.with_websock(broker.websocket())`. */
  websocket(protocols: string | readonly string[] = 'mqtt'): BrokerSocket {
    return this.createWebsocket('ws://wasmqtt.invalid/mqtt', protocols);
  }

  /**
   * One end of a MessagePort whose other end is a connection to this broker: hand it to an iframe or a worker, and
   * give it to `connectPort` there, or post packets as ArrayBuffers to it and get packets back.
   * @throws Error if the broker is closed.
   * @example
   * const port = broker.port();
   * frame.contentWindow.postMessage('mqtt', origin, [port]);
   */
  port(options: PortOptions = {}): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.accept(port1, options);
    return port2;
  }

  /**
   * Serves the client at the other end of this port; the function that comes back cuts it off. The port belongs to the
   * broker then, and is closed with its connection.
   * @throws Error if the broker is closed.
   */
  accept(port: MessagePort, options: PortOptions = {}): () => void {
    this.#live();
    if (typeof port?.postMessage !== 'function') throw wrong('port', port, 'a MessagePort');
    const cut = servePort(this.#engine, port, options, this.#schedule, () => this.#doors.delete(cut));
    this.#doors.add(cut);
    return cut;
  }

  /**
   * Opens a link of another kind: for transports that this package has none for. `address` is for logs.
   * @param creditBytes how many bytes may be under way before `taken` is called.
   */
  link(
    link: Link,
    { address = 'page', creditBytes = 1 << 20, local = true } = {},
  ): { received(bytes: Uint8Array): void; taken(bytes: number): void; gone(): void; unread(): number } {
    const id = this.#engine.open(link, local, address, creditBytes);
    return {
      received: (bytes) => this.#engine.received(id, bytes),
      taken: (bytes) => this.#engine.taken(id, bytes),
      gone: () => this.#engine.gone(id),
      unread: () => this.#engine.unreadBytes(id),
    };
  }

  /**
   * Calls a function with every event of a name; the function that comes back ends that. Packets and decisions are made
   * only while somebody listens; a function that throws stops nobody else. A client that was in the midst of sending a
   * packet when the first listener for `packet` came may be told wrongly until it connects anew.
   * @throws TypeError for another name.
   * @example
   * const stop = broker.on('decision', (event) => {
   *   if (event.type === 'not-delivered') console.log(event.clientIdentifier, event.why.reason);
   * });
   */
  on<N extends keyof BrokerEvents>(name: N, handler: (event: BrokerEvents[N]) => void): () => void {
    if (!EVENT_NAMES.includes(name)) throw wrong('on', name, EVENT_NAMES.join(', '));
    if (typeof handler !== 'function') throw wrong('handler', handler, 'a function');
    return this.#listeners.on(name, handler);
  }

  /** All events as they happen. What nobody reads is left out beyond 10,000 events, and said to be. */
  trace(): ReadableStream<TraceEvent> {
    return traceOf(this, (end) => {
      if (this.isClosed) end();
      this.#doors.add(end);
      return () => this.#doors.delete(end);
    });
  }

  /** All bridges, all Sessions with Subscriptions, messages in flight and queues, and all Retained Messages. */
  inspect(): BrokerView;
  /** One Session; `undefined` if there is none of this Client Identifier. */
  inspect(clientIdentifier: string): SessionView | undefined;
  inspect(clientIdentifier?: string): BrokerView | SessionView | undefined {
    const ask: AskPage = (subject, skip, limit) => {
      const [name, page] = variant(this.#command({ Inspect: { subject, skip, limit } }));
      return name === 'Page' ? (Object.values(page)[0] as Record<string, unknown>[]) : undefined;
    };
    if (clientIdentifier === undefined) return inspectAll(ask);
    return inspectOne(ask, text('clientIdentifier', clientIdentifier, 'a Client Identifier'));
  }

  /** Counters since the start and gauges of now; what is refused or dropped is counted here. */
  counters(): Counters {
    return countersOf(variant(this.#command('Count'))[1]);
  }

  /** A hash of the broker's whole state, the same for the same inputs on every platform. */
  digest(): bigint {
    this.#live();
    return this.#engine.core.digest();
  }

  /** What time it is for the broker, in milliseconds since 1970. */
  now(): number {
    return this.#clock.now() / 1000;
  }

  /**
   * Moves a manual clock, stopping wherever something is due, and waits until the broker has done it.
   * @throws Error if the clock is real; TypeError for a time that is none.
   */
  async advance(ms: number): Promise<void> {
    if (!(this.#clock instanceof ManualClock)) throw new Error("wasmqtt: advance needs { clock: 'manual' }");
    if (!Number.isFinite(ms) || ms < 0) throw wrong('ms', ms, 'milliseconds from 0 on');
    const until = this.#clock.now() + Math.round(ms * 1000);
    await this.idle();
    while (this.#clock.step(until)) await this.idle();
    // Lines that end just now are due now.
    this.#engine.run();
    await this.idle();
  }

  /** Resolves when nothing waits any more: no bytes, no records, no question to `auth`. */
  idle(): Promise<void> {
    return this.#quiet(() => this.#asking === 0);
  }

  /**
   * Publishes a message as the broker itself.
   * @throws TypeError that names what is wrong; Error with the Reason Code if it is refused.
   */
  publish(topic: string, payload: Payload = '', options: PublishOptions = {}): void {
    this.#done(this.#command(publishing(topic, payload, options)), `publishing to '${topic}'`);
  }

  /**
   * Hears what matches a Topic Filter, Retained Messages first; resolves, once it is granted, to a function that ends
   * it. It is a Session of its own in `inspect`.
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
    this.#commands += 1;
    const name = `page-${this.#commands}`;
    const qos = whole('qos', options.qos ?? 0, 0, 2) as Qos;
    const subscription = new LocalSubscription(this.#engine, name, filter, qos, handler);
    this.#subscriptions.add(subscription);
    const end = () => {
      this.#subscriptions.delete(subscription);
      subscription.close();
    };
    try {
      await subscription.start();
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }

  /**
   * Adds a bridge to another broker, over a WebSocket that this page opens. Resolves when it is there, not when it is
   * up: `on('bridge')` tells that. While it is away its messages of QoS 1 and 2 wait, in the storage too; it dials again
   * by itself, and after a reload goes on where it was, once it is added again. The same name with other options gives
   * it those.
   * @throws TypeError that names a wrong option; Error if a limit does not allow one more.
   * @example
   * await broker.bridge({
   *   url: 'wss://broker.example/mqtt',
   *   clientIdentifier: 'kitchen-tablet',
   *   topics: [{ filter: 'kitchen/#', direction: 'both' }],
   * });
   */
  async bridge(options: BridgeOptions): Promise<Bridge> {
    const bridges = await this.#bridging();
    this.#live();
    return bridges.add(options);
  }

  /**
   * Ends a bridge with its Session, also one that a storage brought back and nobody added again; gives whether there was
   * one of this name.
   */
  removeBridge(name: string): boolean {
    text('name', name, 'the name of a bridge');
    return this.#bridges?.remove(name) ?? this.#command({ RemoveBridge: { name } }) === 'Done';
  }

  /** Ends a client's connection, and its Session too if wished; gives whether there was one. */
  kick(clientIdentifier: string, options: KickOptions = {}): boolean {
    return this.#command(kicking(clientIdentifier, options)) === 'Done';
  }

  /** New limits from now on; what is left out stays as it is. @throws TypeError that names a wrong one. */
  setLimits(limits: Partial<Limits>): void {
    only('limits', limits, Object.keys(limits ?? {}));
    const all = { ...this.#options.limits, ...limits };
    const config = wholeConfig(configOf({ ...this.#options, limits: all }, 'Memory', false));
    this.#done(this.#command({ SetLimits: config.limits }), 'setting limits');
    this.#options = { ...this.#options, limits: all };
  }

  /** New permissions for clients that `auth` gave none of their own. @throws TypeError that names what is wrong. */
  setPermissions(permissions: Permissions): void {
    const command = { SetPermissions: permissionsOf('permissions', permissions) };
    this.#done(this.#command(command), 'setting permissions');
  }

  /** All state, with half packets and what is on its way, to be given to `restore`. */
  snapshot(): Uint8Array {
    this.#engine.run();
    const saved = this.#engine.core.save();
    return packSnapshot({ now: this.#clock.now(), links: this.#engine.links(), saved });
  }

  /**
   * Becomes what a snapshot says. Every connection of now is cut, and those of then count as cut; what `subscribe` gave
   * goes on. A manual clock stands where it stood then; a real one is never behind the snapshot. Bridges of now go on,
   * with the Session that they had then, if any; those of then that are not there now dial, too.
   * @throws Error if these bytes are no snapshot, or with a storage other than `memory:`.
   */
  restore(snapshot: Uint8Array): void {
    this.#live();
    if (!isBytes(snapshot)) throw wrong('snapshot', snapshot, 'what `snapshot` gave');
    if (this.#journal !== undefined) throw new Error("wasmqtt: restore needs storage 'memory:'; see `import`");
    const { now, links, saved } = unpackSnapshot(bytesOf(snapshot));
    const core = Core.load(saved);
    this.#clock.reach(now);
    this.#clients.clear();
    this.#engine.replace(core, links);
    if (this.#bridges !== undefined) this.#bridges.restored();
    else if (this.counters().bridges > 0) void this.#bridging().then((bridges) => bridges.restored());
    if (this.#listeners.has('decision')) this.#command({ SetTrace: true });
  }

  /**
   * The durable state as a file, for `Broker.create({ import })`: Sessions, queues, Retained Messages, Wills.
   */
  async export(): Promise<Blob> {
    const { exportLog } = await import('./storage/file.js');
    this.#engine.run();
    return exportLog(this.#journal?.last ?? 0, this.#engine.core.records() as Uint8Array[]);
  }

  /** Tries at once to store again after a failure, since room was made. Resolves when it is known whether it works. */
  async retryStorage(): Promise<void> {
    await this.#journal?.retry();
  }

  /**
   * Ends the broker: Wills without a delay are published, clients are told, what waits is stored, and every connection
   * is closed. Any number of times.
   */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  /** Whether `close` was called, or the storage was lost to another broker: no way in works any more. */
  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** Same as `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @throws Error once it is closed. */
  #live(): void {
    if (this.isClosed) throw new Error('wasmqtt: this broker is closed');
  }

  /** Resolves when nothing waits for a turn or the store, twice in a row: an answer may bring another question. */
  async #quiet(isQuiet: () => boolean): Promise<void> {
    for (let quiet = 0; quiet < 2; ) {
      await this.#journal?.idle();
      await new Promise<void>((resolve) => this.#schedule(resolve));
      quiet = this.#engine.idle && isQuiet() ? quiet + 1 : 0;
    }
  }

  async #end(): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.close();
    this.#command('Stop');
    // An answer of `auth` that is still out is of no use any more.
    await this.#quiet(() => true);
    for (const cut of this.#doors) cut();
    this.#bridges?.close();
    await this.#journal?.close();
    await this.#opened?.release();
    this.#engine.tap = undefined;
    this.#engine.close();
  }

  /** Connects a socket; its `open` comes in a later task. */
  #connect(socket: Carried, wanted: readonly string[]): Carrier {
    const protocol = agree(wanted, this.#options.allowNoSubprotocol === true);
    const link = new PageLink(this.#engine, socket);
    this.#schedule(() => link.open(this.isClosed ? undefined : protocol));
    return link;
  }

  #tell<N extends keyof BrokerEvents>(name: N, event: BrokerEvents[N]): void {
    this.#listeners.tell(name, event);
  }

  #listened(name: keyof BrokerEvents): void {
    if (this.#closed !== undefined) return;
    const on = this.#listeners.has(name);
    if (name === 'decision') this.#command({ SetTrace: on });
    if (name !== 'packet') return;
    (this.#engine.tap as PacketTap | undefined)?.close();
    const clientOf = (id: LinkId) => this.#clients.get(`${id.slot}.${id.generation}`);
    this.#engine.tap = on ? new PacketTap((event) => this.#tell('packet', event), clientOf) : undefined;
  }

  /** What is done for bridges. */
  #bridging(): Promise<Bridges> {
    this.#loading ??= import('./bridge.js').then(({ Bridges }) => {
      this.#bridges = new Bridges({
        engine: this.#engine,
        lasts: this.#journal !== undefined,
        command: (command) => this.#ordered(command),
        tell: (event) => this.#tell('bridge', event),
        belongs: ({ slot, generation }, session) => {
          if (session === undefined) this.#clients.delete(`${slot}.${generation}`);
          else this.#clients.set(`${slot}.${generation}`, session);
        },
      });
      return this.#bridges;
    });
    return this.#loading;
  }

  /** Hands a command to the core and takes its reply. */
  #command(command: unknown): unknown {
    return this.#ordered(command).reply;
  }

  /** The reply to a command, which comes in the same turn, and a line for people if it is the refusal of a bridge. */
  #ordered(command: unknown): { reply: unknown; text: string | undefined } {
    this.#commands += 1;
    const id = this.#commands;
    let answer: { reply: unknown; text: string | undefined } = { reply: undefined, text: undefined };
    this.#replies.set(id, (reply, text) => {
      answer = { reply, text };
    });
    this.#engine.input({ Command: { id, command } });
    this.#engine.run();
    return answer;
  }

  #done(reply: unknown, what: string): void {
    if (reply === 'Done') return;
    throw new Error(`wasmqtt: ${what} was refused: ${String(variant(reply)[1].content)}`);
  }

  #output(output: Output): void {
    if (output.Reply !== undefined) {
      const { id, reply } = output.Reply as { id: number; reply: unknown };
      this.#replies.get(id)?.(reply, output.text as string | undefined);
      this.#replies.delete(id);
    } else if (output.Dial !== undefined || (output.Event !== undefined && isOfBridge(output.Event))) {
      // Without them it is a broker that was just restored, and they come.
      this.#bridges?.output(output);
    } else if (output.Event !== undefined) {
      this.#event(output);
    } else if (output.Trace !== undefined) {
      this.#tell('decision', decisionOf(output.Trace));
    } else if (output.Ask !== undefined) {
      const { question, what } = output.Ask as { question: number; what: unknown };
      void this.#ask(question, ...variant(what));
    }
  }

  #event(output: Output): void {
    const [name, content] = variant(output.Event);
    const conn = content.conn as LinkId | undefined;
    const key = conn === undefined ? '' : `${conn.slot}.${conn.generation}`;
    if (name === 'Connected') this.#clients.set(key, content.client_identifier as string);
    const told = this.#listeners.has('connection') || this.#listeners.has('session') ? eventOf(output) : undefined;
    if (told !== undefined) this.#tell(told[0], told[1] as never);
    if (name === 'Disconnected') this.#clients.delete(key);
  }

  async #ask(question: number, kind: string, what: Record<string, unknown>): Promise<void> {
    const { core } = this.#engine;
    const info = infoOf(kind, what);
    // After a `restore` the question is not asked any more.
    const answer = (verdict: unknown) => {
      if (!this.isClosed && core === this.#engine.core) this.#engine.input({ Answered: { question, verdict } });
    };
    this.#asking += 1;
    try {
      const { auth = openTo } = this.#options;
      answer(verdictOf(info.address === OWN_ADDRESS ? OWN_VERDICT : await auth(info)));
    } catch (error) {
      answer(refusal(0x88));
      const event: AuthErrorEvent = { type: 'auth-error', clientIdentifier: info.clientIdentifier, error };
      this.#tell('connection', event);
    } finally {
      this.#asking -= 1;
    }
  }
}

const isOfBridge = (event: unknown): boolean => variant(event)[0].startsWith('Bridge');
