/**
 * Bridges: what a page says about one, put into the core's words, and the WebSockets that the core wants for them. All
 * that a bridge is (its Session, when it dials again, which topics go where) is the core's. It is loaded with the first
 * bridge.
 */
import * as door from '../generated/door.js';
import { Core } from '../generated/wasmqtt.js';
import { Dial, type WebSocketConstructor } from './dial.js';
import type { Engine, LinkId, Output } from './engine.js';
import { type BridgeEvent, type Qos, reportLater } from './events.js';
import { camel, fields, kebab, variant } from './names.js';
import { flag, only, QOS, whole, wrong } from './options.js';
import { decode, encode } from './postcard.js';

/** Topics of a bridge that go the same way. */
export interface BridgeTopic {
  /** A Topic Filter: `localPrefix + filter` here, `remotePrefix + filter` at the remote. */
  filter: string;
  /** `in`: from the remote to here; `out`: from here to the remote. */
  direction: 'in' | 'out' | 'both';
  /** The highest QoS; a message keeps its own if that is lower. Default 2. */
  qos?: Qos;
  /** What Topic Names begin with here and not there. Default: nothing. */
  localPrefix?: string;
  /** What Topic Names begin with there and not here. Default: nothing. */
  remotePrefix?: string;
}

/** A bridge to another broker; what is left out has its default. */
export interface BridgeOptions {
  /** Where the remote broker is, such as `wss://broker.example/mqtt`. */
  url: string;
  /** What goes which way. A message goes by the first entry that matches it. */
  topics: BridgeTopic[];
  /** By it the bridge finds its Session again: 1 to 255 bytes without `/`, `+`, `#`. Default: host and port of `url`. */
  name?: string;
  /**
   * The Client Identifier at the remote: nobody else's there, and the same after a reload, for the remote keeps what it
   * has for us under it. Needed with a storage. Default: one from the platform's entropy.
   */
  clientIdentifier?: string;
  /** User Name for the remote. */
  userName?: string;
  /** Password for the remote; with 3.1.1 not without a User Name. */
  password?: string | Uint8Array;
  /** What to speak. Default `5.0`. */
  version?: '5.0' | '3.1.1';
  /** With 3.1.1: tell the remote that a bridge connects, as mosquitto understands it; if refused, without. Default true. */
  tryPrivate?: boolean;
  /** Seconds between signs of life; 0 = none. Default 60. */
  keepAliveS?: number;
  /** Whether each connection starts anew at the remote: what it has for us while we are away is lost. Default false. */
  cleanStart?: boolean;
  /**
   * Seconds that the remote (in 5.0) and a restored store keep the Session while the bridge is away. Default: for ever,
   * 0xffff_ffff; without a `clientIdentifier`, an hour, since nobody comes back under another.
   */
  sessionExpiryS?: number;
  /**
   * The first wait before it dials again, in milliseconds: a random time between half of it and all of it, each time
   * twice as long. Default 1,000.
   */
  redialMinMs?: number;
  /** The longest wait; a connection that lasted as long makes the next wait the shortest again. Default 60,000. */
  redialMaxMs?: number;
  /** How many bridges a message may have passed, so that none goes round for ever; 0 = any number. Default 8. */
  hopsMax?: number;
  /** Opens the connection instead of the platform's `WebSocket`: needed in Node below 22, such as that of `ws`. */
  webSocket?: WebSocketConstructor;
}

/** A bridge that was added. */
export interface Bridge {
  /** Its name, in events and in `inspect`. */
  readonly name: string;
  /** What it was made with, its name and its Client Identifier at the remote included. */
  readonly options: Readonly<BridgeOptions>;
  /** Ends it with its Session, and in 5.0 the one at the remote if that can be reached; gives whether it was there. */
  remove(): boolean;
}

/** What bridges need of their broker. */
export interface BridgeHost {
  engine: Engine;
  /** Whether the state outlives the page. */
  lasts: boolean;
  /** Has the core do something; the reply, and a line for people if it is a refusal. */
  command(command: unknown): { reply: unknown; text: string | undefined };
  tell(event: BridgeEvent): void;
  /** A link is one of this bridge's Session from now on, or of none. */
  belongs(link: LinkId, session: string | undefined): void;
}

const OPTIONS: (keyof BridgeOptions)[] = [
  ...(['url', 'topics', 'name', 'clientIdentifier', 'userName', 'password', 'version', 'tryPrivate'] as const),
  ...(['keepAliveS', 'cleanStart', 'sessionExpiryS', 'redialMinMs', 'redialMaxMs', 'hopsMax', 'webSocket'] as const),
];
const TOPIC: (keyof BridgeTopic)[] = ['filter', 'direction', 'qos', 'localPrefix', 'remotePrefix'];
/** How long the remote keeps the Session of a bridge that has no name of its own there, in seconds. */
const NAMELESS_S = 3_600;
/** What the page got wrong, among the errors of the core; the others are about the broker's state. */
const MISTAKES = ['Name', 'ClientIdentifier', 'UserName', 'Password', 'Version', 'Topic', 'Redial'];

/** Ends of a connection that have another name here, for the core names them as a server does. */
const ENDS: { [end: string]: string } = { client: 'disconnected', remote: 'refused', 'bridge-removed': 'removed' };

interface Added {
  /** The core's number for it. */
  id: number;
  config: door.BridgeConfig;
  webSocket: WebSocketConstructor | undefined;
}

/** All bridges of a broker. */
export class Bridges {
  #host: BridgeHost;
  #added = new Map<string, Added>();
  #dials = new Map<number, Dial>();
  /** Why the last dial of a bridge led nowhere. */
  #reasons = new Map<number, string>();
  /** What the core says before it has given a new bridge its number. */
  #held: Output[] | undefined;

  constructor(host: BridgeHost) {
    this.#host = host;
  }

  /** Adds a bridge, or gives one of the same name other options; the same options again change nothing. */
  add(options: BridgeOptions): Bridge {
    only('options', options, OPTIONS);
    const url = urlOf(options.url);
    const name = textOf('name', options.name) ?? url.host;
    const before = this.#added.get(name);
    const config = this.#config(options, url.href, name, before?.config.client_identifier);
    const webSocket = options.webSocket ?? globalThis.WebSocket;
    if (typeof webSocket !== 'function') {
      throw wrong('webSocket', webSocket, 'a constructor like WebSocket, which is not here (Node has it from 22 on)');
    }
    if (before === undefined || before.webSocket !== webSocket || !same(before.config, config)) {
      this.#enter({ id: 0, config, webSocket }, options);
    }
    const { client_identifier: clientIdentifier, session_expiry_s: sessionExpiryS } = config;
    return { name, options: { ...options, name, clientIdentifier, sessionExpiryS }, remove: () => this.remove(name) };
  }

  /** Ends a bridge with its Session; `false` if there is neither. */
  remove(name: string): boolean {
    const { reply } = this.#host.command({ RemoveBridge: { name } });
    const id = this.#added.get(name)?.id;
    this.#added.delete(name);
    // One that is being opened would be closed as soon as it is.
    if (id !== undefined) this.#abort(id);
    return reply === 'Done';
  }

  /** What the core says about bridges. */
  output(output: Output): void {
    if (this.#held !== undefined) {
      this.#held.push(output);
      return;
    }
    const { Dial: wanted, Event: event, ...explained } = output;
    if (wanted !== undefined) this.#dial(wanted as { bridge: number; target: string });
    else this.#host.tell(this.#event(variant(event), explained));
  }

  /** The core became another one, which knows bridges of its own and no WebSocket of now. */
  restored(): void {
    for (const id of this.#dials.keys()) this.#abort(id);
    const views = variant(this.#host.command({ Inspect: { subject: 'Bridges', skip: 0, limit: 0xffff } }).reply)[1];
    for (const { bridge } of views.Bridges as door.BridgeView[]) this.#host.engine.input({ DialFailed: { bridge } });
    for (const [name, added] of [...this.#added]) {
      try {
        this.#enter(added);
      } catch (error) {
        this.#added.delete(name);
        reportLater(error);
      }
    }
  }

  /** Gives up what is being opened. */
  close(): void {
    for (const id of this.#dials.keys()) this.#abort(id);
  }

  #enter(added: Added, options?: BridgeOptions): void {
    const held: Output[] = [];
    this.#held = held;
    const { reply, text = '' } = this.#host.command({ AddBridge: added.config });
    this.#held = undefined;
    const [kind, { content, ...error }] = variant(reply);
    if (kind !== 'Bridge') throw refusalOf(content ?? error, text, options);
    const old = this.#added.get(added.config.name)?.id;
    if (old !== undefined) this.#abort(old);
    this.#added.set(added.config.name, { ...added, id: content as number });
    for (const output of held) this.output(output);
  }

  #config(options: BridgeOptions, target: string, name: string, known: string | undefined): door.BridgeConfig {
    const { topics } = options;
    if (!Array.isArray(topics)) throw wrong('topics', topics, 'a list of { filter, direction, ... }');
    const nameless = options.clientIdentifier === undefined;
    if (nameless && this.#host.lasts) {
      throw wrong('clientIdentifier', undefined, 'a text that is the same after a reload, since there is a storage');
    }
    const { version, password } = options;
    if (version !== undefined && version !== '5.0' && version !== '3.1.1') {
      throw wrong('version', version, "'5.0' or '3.1.1'");
    }
    const number = (option: keyof BridgeOptions, most: number) =>
      options[option] === undefined ? undefined : whole(option, options[option], 0, most);
    const given = {
      version: version && (version === '5.0' ? 'V5' : 'V3_1_1'),
      try_private: flag('tryPrivate', options.tryPrivate),
      user_name: textOf('userName', options.userName),
      password: ArrayBuffer.isView(password) ? password : bytesOf(textOf('password', password)),
      keep_alive_s: number('keepAliveS', 0xffff),
      clean_start: flag('cleanStart', options.cleanStart),
      session_expiry_s: number('sessionExpiryS', 0xffff_ffff) ?? (nameless ? NAMELESS_S : undefined),
      redial_min_ms: number('redialMinMs', 0xffff_ffff),
      redial_max_ms: number('redialMaxMs', 0xffff_ffff),
      hops_max: number('hopsMax', 0xff),
    };
    return {
      ...decode(door.BridgeConfig, Core.defaultBridge()),
      ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
      name,
      target,
      client_identifier: textOf('clientIdentifier', options.clientIdentifier) ?? known ?? drawn(),
      topics: topics.map(topicOf),
    };
  }

  #dial({ bridge, target }: { bridge: number; target: string }): void {
    const { engine, belongs } = this.#host;
    const [name, added] = this.#named(bridge);
    const webSocket = added?.webSocket ?? globalThis.WebSocket ?? Missing;
    this.#abort(bridge);
    const dial = new Dial(engine, bridge, target, webSocket, {
      opened: (link) => {
        this.#dials.delete(bridge);
        belongs(link, `$bridge/${name}`);
      },
      failed: (why) => {
        this.#dials.delete(bridge);
        this.#reasons.set(bridge, why);
        engine.input({ DialFailed: { bridge } });
      },
      gone: (link) => belongs(link, undefined),
    });
    this.#dials.set(bridge, dial);
  }

  #abort(id: number): void {
    this.#dials.get(id)?.cut();
    this.#dials.delete(id);
    this.#reasons.delete(id);
  }

  #named(id: number): [name: string, added: Added | undefined] {
    const found = [...this.#added].find(([, added]) => added.id === id);
    return found ?? ['', undefined];
  }

  #event([kind, content]: ReturnType<typeof variant>, explained: Record<string, unknown>): BridgeEvent {
    const { conn, why, reason, dialsAt, ...rest } = fields(content);
    const type = kebab(kind.slice('Bridge'.length));
    if (kind !== 'BridgeDown') return { type, ...rest, ...explained } as BridgeEvent;
    const [end, { content: inner }] = variant(content.why);
    const ended = kebab(end === 'Closed' ? variant(inner ?? (content.why as Output).Closed)[0] : end);
    const id = this.#added.get(content.name as string)?.id ?? -1;
    const text = end === 'DialFailed' ? this.#reasons.get(id) : explained.text;
    this.#reasons.delete(id);
    return {
      type,
      ...rest,
      why: ENDS[ended] ?? ended,
      ...explained,
      ...(text !== undefined && { text }),
      ...(dialsAt !== undefined && { dialsAt: (dialsAt as number) / 1000 }),
    } as BridgeEvent;
  }
}

/** Where there is no WebSocket. */
const Missing = (() => {
  throw new Error('there is no WebSocket here; add the bridge with the option webSocket');
}) as unknown as WebSocketConstructor;

function urlOf(found: unknown): URL {
  try {
    const url = new URL(found as string);
    if (['ws:', 'wss:'].includes(url.protocol) && url.hash === '') return url;
  } catch {
    // It is no address at all.
  }
  throw wrong('url', found, "an address such as 'wss://broker.example/mqtt'");
}

function topicOf(topic: BridgeTopic, index: number): door.BridgeTopic {
  const at = `topics[${index}]`;
  only(at, topic, TOPIC);
  const { filter, direction, qos, localPrefix, remotePrefix } = topic;
  if (typeof filter !== 'string') throw wrong(`${at}.filter`, filter, 'a Topic Filter');
  if (direction !== 'in' && direction !== 'out' && direction !== 'both') {
    throw wrong(`${at}.direction`, direction, "'in', 'out' or 'both'");
  }
  return {
    filter,
    direction: ({ in: 'In', out: 'Out', both: 'Both' } as const)[direction],
    qos: QOS[whole(`${at}.qos`, qos ?? 2, 0, 2)] as door.Qos,
    local_prefix: textOf(`${at}.localPrefix`, localPrefix) ?? '',
    remote_prefix: textOf(`${at}.remotePrefix`, remotePrefix) ?? '',
  };
}

function textOf(option: string, found: unknown): string | undefined {
  if (found === undefined || typeof found === 'string') return found;
  throw wrong(option, option === 'password' ? '...' : found, 'a text');
}

const bytesOf = (text: string | undefined) => (text === undefined ? undefined : new TextEncoder().encode(text));

/** A Client Identifier that nobody else has. */
const drawn = () =>
  `wasmqtt-${Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => (byte % 36).toString(36)).join('')}`;

function same(one: door.BridgeConfig, other: door.BridgeConfig): boolean {
  const [a, b] = [one, other].map((config) => encode(door.BridgeConfig, config, 'bridge').join());
  return a === b;
}

/** What the core says about a configuration, in the names of the options. */
function refusalOf(error: unknown, text: string, options: BridgeOptions | undefined): Error {
  const named = text.replace(/[a-z]+(_[a-z]+)+/g, camel);
  const [kind, index] = typeof error === 'string' ? [error] : (Object.entries(error as object)[0] ?? ['']);
  if (!MISTAKES.includes(kind)) return new Error(`wasmqtt: the bridge was refused: ${named}`);
  const at = named.indexOf(': ');
  const option = named.slice(0, at);
  const whole = options?.[option as keyof BridgeOptions];
  const found = kind === 'Topic' ? (whole as BridgeTopic[] | undefined)?.[index as number] : whole;
  const place = kind === 'Topic' ? `${option}[${index}]` : option;
  return wrong(place, kind === 'Password' ? '...' : found, named.slice(at + 2));
}
