/**
 * An MQTT broker inside this page: the core, a clock, a store and the ways in. What a client sees is the core's doing,
 * the very core that the server runs; this file hands things on.
 */
import { Core } from '../generated/wasmqtt.js';
import { ManualClock, RealClock } from './clock.js';
import { create, reason, restore, type Variant } from './core.js';
import { type Clock, Engine, type Link, type LinkId, type Output } from './engine.js';
import {
  type AuthErrorEvent,
  type BrokerEvents,
  countersOf,
  decisionOf,
  eventOf,
  Listeners,
  type Qos,
  versionOf,
} from './events.js';
import { type AskPage, type BrokerView, inspectAll, inspectOne, type SessionView } from './inspect.js';
import { LocalSubscription, type Message } from './local.js';
import { variant } from './names.js';
import {
  type BrokerOptions,
  type ConnectInfo,
  type ConnectVerdict,
  check,
  configOf,
  type Limits,
  limitsOf,
  type Permissions,
  permissionsOf,
  seedOf,
  whole,
  wrong,
} from './options.js';
import { type PortOptions, servePort } from './port.js';
import { scheduler } from './schedule.js';
import { agree, BrokerSocket, type Carried, type Carrier, offered } from './socket.js';
import { Journal } from './storage/journal.js';
import { destroyStorage, type Opened, openStorage, type StorageOptions } from './storage/open.js';
import { PacketTap } from './taps.js';
import { loadCore } from './wasm.js';

/** Bytes under way to a socket in the page; it takes them at once. */
const SOCKET_CREDIT_BYTES = 1 << 24;
/** Where the manual clock begins: 2026-01-01, in microseconds since 1970. */
const MANUAL_BEGIN_US = 1_767_225_600_000_000;
const SNAPSHOT_MAGIC = 0x31_73_71_77;
/** Events that wait in a trace that nobody reads. */
const TRACE_EVENTS_MAX = 10_000;

/** Any event, with the name under which `on` tells it. */
export type TraceEvent =
  | { [N in keyof BrokerEvents]: { name: N; event: BrokerEvents[N] } }[keyof BrokerEvents]
  /** Events that were left out because nobody read the trace. */
  | { name: 'left-out'; event: { count: number } };

/** How to publish. */
export interface PublishOptions {
  qos?: Qos;
  retain?: boolean;
}

/** What the engine needs to be wired to. */
interface Parts {
  core: Core;
  options: BrokerOptions;
  clock: Clock;
  opened: Opened | undefined;
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
  #replies = new Map<number, (reply: unknown) => void>();
  #commands = 0;
  /** Client Identifiers by link, for packets. */
  #clients = new Map<string, string>();
  #asking = 0;
  #subscriptions = new Set<LocalSubscription>();
  /** Ways in that are open, to be cut off at the end. */
  #doors = new Set<() => void>();
  #closed: Promise<void> | undefined;

  private constructor({ core, options, clock, opened }: Parts) {
    this.#options = options;
    this.#clock = clock;
    this.#opened = opened;
    this.#engine = new Engine(
      core,
      clock,
      { output: (output) => this.#output(output), append: (lsns, records) => this.#journal?.append(lsns, records) },
      this.#schedule,
    );
    if (opened !== undefined) {
      const source = {
        settle: () => this.#engine.run(),
        records: () => core.records() as Uint8Array[],
        stored: (upto: number) => this.#engine.input({ Stored: { upto } }),
        failed: (from: number) => this.#engine.input({ StoreFailed: { from } }),
      };
      this.#journal = new Journal(opened.store, opened.log, source, (event) => {
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
    const opened = await openStorage(storage, options);
    try {
      const core = opened === undefined ? create(config, seed) : restored(config, seed, opened);
      const clock = options.clock === 'manual' ? new ManualClock(MANUAL_BEGIN_US) : new RealClock();
      const broker = new Broker({ core, options, clock, opened });
      if (opened !== undefined) {
        const { log, persisted, tornBytes } = opened;
        const read = { records: log.records.length, bytes: log.bytes };
        // Who made it can listen before this is told.
        broker.#schedule(() => broker.#tell('storage', { type: 'opened', storage, ...read, tornBytes, persisted }));
      }
      return broker;
    } catch (error) {
      opened?.store.close();
      await opened?.release();
      throw error;
    }
  }

  /**
   * Deletes a storage with all that is in it. There is no way back.
   * @throws StoreError `busy` while a broker has it open; TypeError for what is no storage.
   */
  static destroy(storage: string, options: StorageOptions = {}): Promise<void> {
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
   */
  port(options: PortOptions = {}): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.accept(port1, options);
    return port2;
  }

  /** Serves the client at the other end of this port; the function that comes back cuts it off. */
  accept(port: MessagePort, options: PortOptions = {}): () => void {
    const cut = servePort(this.#engine, port, options, this.#schedule);
    this.#doors.add(cut);
    return () => {
      this.#doors.delete(cut);
      cut();
    };
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

  /** Calls a function with every event of a name; the function that comes back ends that. */
  on<N extends keyof BrokerEvents>(name: N, handler: (event: BrokerEvents[N]) => void): () => void {
    if (!['packet', 'connection', 'session', 'decision', 'storage'].includes(name)) {
      throw wrong('on', name, "'packet', 'connection', 'session', 'decision' or 'storage'");
    }
    return this.#listeners.on(name, handler);
  }

  /** All events as they happen. What nobody reads is left out beyond 10,000 events, and said to be. */
  trace(): ReadableStream<TraceEvent> {
    let offs: (() => void)[] = [];
    const start = (controller: ReadableStreamDefaultController<TraceEvent>) => {
      let left = 0;
      const put = (traced: TraceEvent) => {
        const room = controller.desiredSize ?? 0;
        if (room <= (left > 0 ? 1 : 0)) {
          left += 1;
          return;
        }
        if (left > 0) controller.enqueue({ name: 'left-out', event: { count: left } });
        left = 0;
        controller.enqueue(traced);
      };
      const names = ['packet', 'connection', 'session', 'decision', 'storage'] as const;
      offs = names.map((name) => this.on(name, (event) => put({ name, event } as TraceEvent)));
      const end = () => controller.close();
      this.#doors.add(end);
      offs.push(() => this.#doors.delete(end));
    };
    const cancel = () => {
      for (const off of offs) off();
    };
    return new ReadableStream({ start, cancel }, { highWaterMark: TRACE_EVENTS_MAX });
  }

  /** All Sessions with Subscriptions, messages in flight and queues, and all Retained Messages. */
  inspect(): BrokerView;
  /** One Session; `undefined` if there is none of this Client Identifier. */
  inspect(clientIdentifier: string): SessionView | undefined;
  inspect(clientIdentifier?: string): BrokerView | SessionView | undefined {
    const ask: AskPage = (subject, skip, limit) => {
      const [name, page] = variant(this.#command({ Inspect: { subject, skip, limit } }));
      return name === 'Page' ? (Object.values(page)[0] as Record<string, unknown>[]) : undefined;
    };
    return clientIdentifier === undefined ? inspectAll(ask) : inspectOne(ask, clientIdentifier);
  }

  /** Counters since the start and gauges of now; what is refused or dropped is counted here. */
  counters(): Record<string, unknown> {
    return countersOf(variant(this.#command('Count'))[1]);
  }

  /** A hash of the broker's whole state, the same for the same inputs on every platform. */
  digest(): bigint {
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
    if (typeof ms !== 'number' || !(ms >= 0)) throw wrong('ms', ms, 'milliseconds from 0 on');
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

  /** Publishes a message as the broker itself. @throws Error with the Reason Code if it is refused. */
  publish(topic: string, payload: string | Uint8Array | ArrayBuffer = '', options: PublishOptions = {}): void {
    const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : new Uint8Array(payload);
    const qos = ['AtMostOnce', 'AtLeastOnce', 'ExactlyOnce'][whole('qos', options.qos ?? 0, 0, 2)];
    const publish = { topic: String(topic), payload: bytes, qos, retain: options.retain === true };
    this.#done(this.#command({ Publish: publish }), `publishing to '${topic}'`);
  }

  /**
   * Hears what matches a Topic Filter, Retained Messages first; resolves, once it is granted, to a function that ends
   * it. It is a Session of its own in `inspect`.
   * @throws Error if it is refused.
   */
  async subscribe(filter: string, handler: (message: Message) => void, { qos = 0 as Qos } = {}): Promise<() => void> {
    this.#commands += 1;
    const name = `page-${this.#commands}`;
    const subscription = new LocalSubscription(this.#engine, name, filter, whole('qos', qos, 0, 2) as Qos, handler);
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

  /** Ends a client's connection, and its Session too if wished; gives whether there was one. */
  kick(clientIdentifier: string, { code = 0x98, endSession = false } = {}): boolean {
    const why = reason(whole('code', code, 0x80, 0xff));
    if (why === undefined) throw wrong('code', code, 'a Reason Code');
    const kick = { client_identifier: clientIdentifier, reason: why, end_session: endSession };
    return this.#command({ Kick: kick }) === 'Done';
  }

  /** New limits from now on; what is left out stays as it is. @throws TypeError that names a wrong one. */
  setLimits(limits: Partial<Limits>): void {
    const all = { ...this.#options.limits, ...limits };
    const config = configOf({ ...this.#options, limits: all }, 'Memory', false);
    this.#done(this.#command({ SetLimits: { ...limitsOf({}), ...(config.limits as object) } }), 'setting limits');
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
    const links = this.#engine.links();
    const head = new Uint32Array(4 + 2 * links.length);
    head.set([SNAPSHOT_MAGIC, links.length]);
    new DataView(head.buffer).setFloat64(8, this.#clock.now(), true);
    head.set(
      links.flatMap((id) => [id.slot, id.generation]),
      4,
    );
    const snapshot = new Uint8Array(head.byteLength + saved.length);
    snapshot.set(new Uint8Array(head.buffer));
    snapshot.set(saved, head.byteLength);
    return snapshot;
  }

  /**
   * Becomes what a snapshot says. Every connection of now is cut, and those of then count as cut; what `subscribe` gave
   * goes on. A manual clock stands where it stood then; a real one is never behind the snapshot.
   * @throws Error if these bytes are no snapshot, or with a storage other than `memory:`.
   */
  restore(snapshot: Uint8Array): void {
    if (this.#journal !== undefined) throw new Error("wasmqtt: restore needs storage 'memory:'; see `import`");
    const copy = snapshot.slice();
    const words = new Uint32Array(copy.buffer, 0, copy.length >> 2);
    const count = words[1] ?? 0;
    if (words[0] !== SNAPSHOT_MAGIC || copy.length < 16 + 8 * count) throw new Error('wasmqtt: this is no snapshot');
    const core = Core.load(copy.subarray(16 + 8 * count));
    const links = Array.from({ length: count }, (_, at) => ({
      slot: words[4 + 2 * at] as number,
      generation: words[5 + 2 * at] as number,
    }));
    this.#clock.reach(new DataView(copy.buffer).getFloat64(8, true));
    this.#clients.clear();
    this.#engine.replace(core, links);
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

  /** Same as `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
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
    await this.#journal?.close();
    await this.#opened?.release();
    this.#engine.tap = undefined;
    this.#engine.close();
  }

  /** Connects a socket; its `open` comes in a later task. */
  #connect(socket: Carried, wanted: readonly string[]): Carrier {
    let id: LinkId | undefined;
    let closed = false;
    const protocol = agree(wanted, this.#options.allowNoSubprotocol === true);
    this.#schedule(() => {
      if (closed) return;
      if (protocol === undefined || this.#closed !== undefined) {
        socket.closed(1006, '', false);
        return;
      }
      const link = {
        deliver: (bytes: Uint8Array<ArrayBuffer>) => {
          const { length } = bytes;
          socket.message(bytes);
          if (id !== undefined) this.#engine.taken(id, length);
        },
        close: () => socket.closed(1000, '', true),
        cut: () => socket.closed(1006, '', false),
      };
      id = this.#engine.open(link, true, 'page', SOCKET_CREDIT_BYTES);
      socket.open(protocol);
    });
    return {
      send: (bytes) => {
        if (id !== undefined && this.#closed === undefined) this.#engine.received(id, bytes);
      },
      buffered: () => (id === undefined ? 0 : this.#engine.unreadBytes(id)),
      close: () => {
        closed = true;
        if (id !== undefined && this.#closed === undefined) this.#engine.gone(id);
        id = undefined;
      },
    };
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

  /** Hands a command to the core and takes its reply, which comes in the same turn. */
  #command(command: unknown): unknown {
    this.#commands += 1;
    const id = this.#commands;
    let answer: unknown;
    this.#replies.set(id, (reply) => {
      answer = reply;
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
      this.#replies.get(id)?.(reply);
      this.#replies.delete(id);
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
    const told = eventOf(output);
    if (told !== undefined) this.#tell(told[0], told[1] as never);
    if (name === 'Disconnected') this.#clients.delete(key);
  }

  async #ask(question: number, kind: string, what: Record<string, unknown>): Promise<void> {
    const again = kind === 'Authenticate';
    const [method, data] = again ? [what.method, what.data] : ((what.authentication ?? []) as unknown[]);
    const peer = what.peer as { transport: string } | undefined;
    const info: ConnectInfo = {
      clientIdentifier: what.client_identifier as string,
      version: again ? '5.0' : versionOf(what.version),
      userName: what.user_name as string | undefined,
      password: what.password as Uint8Array | undefined,
      authentication:
        method === undefined ? undefined : { method: method as string, data: data as Uint8Array | undefined },
      again: what.again === true,
      transport: peer?.transport === 'WebSocket' ? 'websocket' : 'page',
    };
    this.#asking += 1;
    let verdict: unknown;
    try {
      verdict = verdictOf((await this.#options.auth?.(info)) ?? false);
    } catch (error) {
      verdict = refusal(0x88);
      const event: AuthErrorEvent = { type: 'auth-error', clientIdentifier: info.clientIdentifier, error };
      this.#tell('connection', event);
    }
    this.#asking -= 1;
    if (this.#closed === undefined) this.#engine.input({ Answered: { question, verdict } });
  }
}

function refusal(code: number, reason_string?: string): unknown {
  return { Refuse: { reason: reason(code), reason_string, server_reference: undefined } };
}

/** A verdict as the core has it. @throws TypeError that names what is wrong. */
function verdictOf(verdict: ConnectVerdict): unknown {
  if (verdict === true) return { Allow: { user: undefined, permissions: undefined, authentication_data: undefined } };
  if (verdict === false) return refusal(0x87);
  if (typeof verdict !== 'object' || verdict === null) throw wrong('auth', verdict, 'true, false or a verdict');
  if ('continue' in verdict) return { Continue: { data: verdict.continue } };
  if (verdict.allow === true) {
    const permissions = verdict.permissions && permissionsOf('auth.permissions', verdict.permissions);
    return { Allow: { user: verdict.user, permissions, authentication_data: verdict.data } };
  }
  return refusal(whole('auth.reason', verdict.reason ?? 0x87, 0x80, 0xff), verdict.reasonString);
}

function restored(config: Variant, seed: Uint8Array, { log }: Opened): Core {
  return restore(config, seed, new Float64Array(log.lsns), log.records);
}
