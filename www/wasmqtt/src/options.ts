/**
 * What a broker is made with, and the one place where it is checked: every mistake is a TypeError that names the option,
 * what was found and what is allowed.
 */

import { snake } from './names.js';
import { parseStorage, type StorageName } from './storage/name.js';
import type { StorageOptions } from './storage/open.js';
import { isSource, SOURCES, type WasmSource } from './wasm.js';

/** The bounds on everything that a client can grow; each has an answer at the bound and a counter. */
export interface Limits {
  /** Open connections; one more is refused with 0x97. Default 100,000. */
  connectionsMax: number;
  /** Seconds that a connection may take until its CONNECT is complete. Default 10. */
  connectTimeoutS: number;
  /** Sessions, connected or not. Default 200,000. */
  sessionsMax: number;
  /** Longest Session Expiry Interval, in seconds; 0xffff_ffff (the default) = no end. */
  sessionExpiryMaxS: number;
  /** Longest Keep Alive, in seconds; 0 (the default) = any, and none. */
  keepAliveMaxS: number;
  /** Largest packet, in bytes. Default 16 MiB. */
  packetBytesMax: number;
  /** Largest CONNECT, in bytes. Default 256 KiB. */
  connectBytesMax: number;
  /** Receive Maximum: QoS 1 and 2 messages that a client may have unfinished. Default 1,024. */
  receiveMaximum: number;
  /** Topic Aliases that a client may set. Default 64. */
  topicAliasMaximum: number;
  /** Topic Aliases that the broker sets for one client. Default 64. */
  topicAliasOutMax: number;
  /** Messages unfinished towards one client. Default 4,096. */
  inFlightMax: number;
  /** Messages that wait in one Session; new ones are dropped at the limit. Default 10,000. */
  queueMessagesMax: number;
  /** Bytes that wait in one Session. Default 64 MiB. */
  queueBytesMax: number;
  /** QoS 0 messages are dropped for a client with more unsent bytes. Default 1 MiB. */
  outboxBytesMax: number;
  /** Bytes that one turn may produce. Default 16 MiB. */
  turnBytesMax: number;
  /** Subscriptions of one Session. Default 20,000. */
  subscriptionsPerSessionMax: number;
  /** Subscriptions of all. Default 5,000,000. */
  subscriptionsMax: number;
  /** Levels of a topic. Default 128. */
  topicLevelsMax: number;
  /** Retained Messages. Default 1,000,000. */
  retainedMessagesMax: number;
  /** Bytes of Retained Messages. Default 1 GiB. */
  retainedBytesMax: number;
  /** Bytes of all that the broker keeps. Default 1 GiB: a page has at most 4. */
  memoryBytesMax: number;
  /** Highest QoS. Default 2. */
  maximumQos: 0 | 1 | 2;
  /** Whether there are Retained Messages. Default true. */
  retainAvailable: boolean;
  /** Whether Topic Filters may have wildcards. Default true. */
  wildcardSubscriptionAvailable: boolean;
  /** Whether there are Subscription Identifiers. Default true. */
  subscriptionIdentifiersAvailable: boolean;
  /** Whether there are Shared Subscriptions. Default true. */
  sharedSubscriptionAvailable: boolean;
  /** Whether a client without a Client Identifier is given one. Default true. */
  assignedClientIdentifier: boolean;
}

/** Topics that are allowed and denied, as Topic Filters; `%c` is the Client Identifier, `%u` the user. A denial wins. */
export interface Rules {
  /** Filters that are allowed; `true` = everything. */
  allow: true | string[];
  /** Filters that are denied all the same. */
  deny?: string[];
}

/** What a client may do. What is left out is allowed, but publishing to `$SYS/#`. */
export interface Permissions {
  /** What it may publish to. */
  publish?: Rules;
  /** What it may subscribe to. */
  subscribe?: Rules;
  /** What it may be sent, whatever it subscribed to. */
  receive?: Rules;
}

/** Who wants to connect. */
export interface ConnectInfo {
  /** Client Identifier, already assigned if the client sent none. */
  clientIdentifier: string;
  /** MQTT 3.1, 3.1.1 or 5.0. */
  version: '3.1' | '3.1.1' | '5.0';
  /** User Name, if it gave one. */
  userName: string | undefined;
  /** Password, if it gave one. */
  password: Uint8Array | undefined;
  /** Enhanced authentication (5.0, 4.12): the method, and the data of this step. */
  authentication: { method: string; data: Uint8Array | undefined } | undefined;
  /** Whether a client that is connected already authenticates anew. */
  again: boolean;
  /** `network` for a client of `listen` (in `wasmqtt/node`), else `page`. */
  transport: 'page' | 'network';
  /** Where it comes from: address and port of a client of `listen`, else what carries it, such as `page` or `port`. */
  address: string;
}

/** The answer about a client: it may connect (`true`), may not (`false`, 0x87), or more precisely. */
export type ConnectVerdict =
  | boolean
  | { allow: true; user?: string; permissions?: Permissions; data?: Uint8Array }
  /** Enhanced authentication goes on with these data. */
  | { continue: Uint8Array }
  /** A Reason Code from 0x80 on, such as 0x86 Bad User Name or Password. */
  | { allow: false; reason?: number; reasonString?: string };

/** Decides who may connect. If it throws or rejects, the client is told 0x88, Server unavailable. */
export type Authenticate = (info: ConnectInfo) => ConnectVerdict | Promise<ConnectVerdict>;

/** What a broker is made with; everything has a default. */
export interface BrokerOptions extends StorageOptions {
  /** Where Sessions, queues and Retained Messages are kept. Default `memory:`: they end with the page. */
  storage?: StorageName;
  /** `manual`: time stands still until `advance`. Default `real`. */
  clock?: 'real' | 'manual';
  /** All that looks random in the broker comes from it: 16 bytes, or a number. Default: the platform's entropy. */
  seed?: number | Uint8Array;
  /** Other limits than the defaults. */
  limits?: Partial<Limits>;
  /** Who may connect. Default: everybody. */
  auth?: Authenticate;
  /** What a client may do that `auth` gave no permissions of its own. */
  permissions?: Permissions;
  /** Seconds that clients in the page may be silent beyond one and a half Keep Alives. Default 0. */
  keepAliveGraceS?: number;
  /** Seconds between updates of the `$SYS` topics; 0 (the default) = none. */
  sysIntervalS?: number;
  /** Whether sockets without a subprotocol are let in, as some old clients open them. Default false. */
  allowNoSubprotocol?: boolean;
  /** Where the core's WebAssembly is, if not beside this package; the first broker of a page decides. */
  wasm?: WasmSource;
}

/** What the core is told. */
export type CoreConfig = Record<string, unknown>;

const GIB = 1 << 30;
const U16 = 0xffff;
const U32 = 0xffff_ffff;
const BYTES = 3 * GIB;

/** Each limit's least and most; booleans have none. */
const LIMITS: { [Name in keyof Limits]: [number, number] | 'boolean' } = {
  connectionsMax: [1, U32],
  connectTimeoutS: [1, U16],
  sessionsMax: [1, U32],
  sessionExpiryMaxS: [0, U32],
  keepAliveMaxS: [0, U16],
  packetBytesMax: [16, 268_435_460],
  connectBytesMax: [16, 268_435_460],
  receiveMaximum: [1, U16],
  topicAliasMaximum: [0, U16],
  topicAliasOutMax: [0, U16],
  inFlightMax: [1, U16],
  queueMessagesMax: [0, U32],
  queueBytesMax: [0, BYTES],
  outboxBytesMax: [1, U32],
  turnBytesMax: [256, U32],
  subscriptionsPerSessionMax: [0, U32],
  subscriptionsMax: [0, U32],
  topicLevelsMax: [1, U16],
  retainedMessagesMax: [0, U32],
  retainedBytesMax: [0, BYTES],
  memoryBytesMax: [1 << 20, BYTES],
  maximumQos: [0, 2],
  retainAvailable: 'boolean',
  wildcardSubscriptionAvailable: 'boolean',
  subscriptionIdentifiersAvailable: 'boolean',
  sharedSubscriptionAvailable: 'boolean',
  assignedClientIdentifier: 'boolean',
};

/** QoS as the core has it. */
export const QOS = ['AtMostOnce', 'AtLeastOnce', 'ExactlyOnce'];

const OPTIONS: (keyof BrokerOptions)[] = [
  'storage',
  'durability',
  'persist',
  'wait',
  'signal',
  'import',
  'locks',
  'indexedDB',
  'clock',
  'seed',
  'limits',
  'auth',
  'permissions',
  'keepAliveGraceS',
  'sysIntervalS',
  'allowNoSubprotocol',
  'wasm',
];

/** Says what is wrong with an option. */
export function wrong(option: string, found: unknown, allowed: string): TypeError {
  return new TypeError(`${option}: found ${shown(found).slice(0, 100)}; allowed: ${allowed}`);
}

function shown(found: unknown): string {
  if (typeof found === 'function') return 'a function';
  if (typeof found === 'number') return String(found);
  try {
    return JSON.stringify(found) ?? String(found);
  } catch {
    // It goes round in a circle, or is a number that JSON has not.
    return String(found);
  }
}

/** Whether a value is a whole number in a range. */
export function whole(option: string, found: unknown, least: number, most: number): number {
  if (typeof found === 'number' && Number.isInteger(found) && found >= least && found <= most) return found;
  throw wrong(option, found, `a whole number from ${least} to ${most}`);
}

/** Whether a value is a text. */
export function text(option: string, found: unknown, what: string): string {
  if (typeof found === 'string') return found;
  throw wrong(option, found, what);
}

/** Whether a value, if it is given, is `true` or `false`. */
export function flag(option: string, found: unknown): boolean | undefined {
  if (found === undefined || typeof found === 'boolean') return found;
  throw wrong(option, found, 'true or false');
}

/** Whether a value is an object with no other fields than these. */
export function only(
  option: string,
  found: unknown,
  names: readonly string[],
): asserts found is Record<string, unknown> {
  if (typeof found !== 'object' || found === null || Array.isArray(found)) throw wrong(option, found, 'an object');
  const unknown = Object.keys(found).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const where = option === 'options' ? unknown : `${option}.${unknown}`;
  throw new TypeError(`${where}: there is no such option; allowed: ${names.join(', ')}`);
}

/** Whether a value, if it is given, can do this. */
function able(option: string, found: unknown, method: string, what: string): void {
  const { [method]: does } = Object(found);
  if (found !== undefined && typeof does !== 'function') throw wrong(option, found, what);
}

/** Checks everything that does not need to be tried. @throws TypeError that names the option. */
export function check(options: BrokerOptions): void {
  only('options', options, OPTIONS);
  only('limits', options.limits ?? {}, Object.keys(LIMITS));
  parseStorage(options.storage ?? 'memory:');
  for (const name of ['persist', 'wait', 'allowNoSubprotocol'] as const) flag(name, options[name]);
  const { durability, clock, auth, signal, wasm, locks, indexedDB, import: file } = options;
  if (durability !== undefined && durability !== 'relaxed' && durability !== 'strict') {
    throw wrong('durability', durability, "'relaxed' or 'strict'");
  }
  if (clock !== undefined && clock !== 'real' && clock !== 'manual') throw wrong('clock', clock, "'real' or 'manual'");
  if (auth !== undefined && typeof auth !== 'function') throw wrong('auth', auth, 'a function');
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw wrong('signal', signal, 'an AbortSignal');
  if (wasm !== undefined && !isSource(wasm)) throw wrong('wasm', wasm, SOURCES);
  if (locks !== null) able('locks', locks, 'request', 'a LockManager, or null for none');
  able('indexedDB', indexedDB, 'open', 'an IDBFactory');
  if (file === undefined) return;
  if (!(file instanceof Blob || file instanceof ArrayBuffer || ArrayBuffer.isView(file))) {
    throw wrong('import', file, 'what `export` gave, as a Blob or as bytes');
  }
  if ((options.storage ?? 'memory:') === 'memory:') throw wrong('storage', options.storage, 'one to import into');
}

/** The core's configuration. @throws TypeError that names the option. */
export function configOf(options: BrokerOptions, storage: 'Memory' | 'Log', now: boolean): CoreConfig {
  return {
    // With permissions too: they are not meant for the page's own subscriptions, which only an answer can say.
    authentication: options.auth === undefined && options.permissions === undefined ? 'Open' : 'Ask',
    permissions: permissionsOf('permissions', options.permissions ?? {}),
    limits: limitsOf({ memoryBytesMax: GIB, ...options.limits }),
    storage,
    trace: now,
    sys_interval_s: whole('sysIntervalS', options.sysIntervalS ?? 0, 0, U32),
    local_keep_alive_grace_s: whole('keepAliveGraceS', options.keepAliveGraceS ?? 0, 0, U16),
  };
}

/** Limits as the core has them. */
export function limitsOf(limits: Partial<Limits>): CoreConfig {
  only('limits', limits, Object.keys(LIMITS));
  const entries = Object.entries(limits).filter(([, found]) => found !== undefined);
  return Object.fromEntries(
    entries.map(([name, found]) => {
      const range = LIMITS[name as keyof Limits];
      if (range === 'boolean') return [snake(name), flag(`limits.${name}`, found)];
      const number = whole(`limits.${name}`, found, ...range);
      return [snake(name), name === 'maximumQos' ? QOS[number] : number];
    }),
  );
}

/** Permissions as the core has them. */
export function permissionsOf(option: string, permissions: Permissions): CoreConfig {
  const names = ['publish', 'subscribe', 'receive'] as const;
  only(option, permissions, names);
  return Object.fromEntries(
    names.map((name) => {
      const rules = permissions[name] ?? { allow: true, ...(name === 'publish' && { deny: ['$SYS/#'] }) };
      const where = `${option}.${name}`;
      only(where, rules, ['allow', 'deny']);
      const allow = rules.allow === true ? 'Everything' : { Filters: filters(`${where}.allow`, rules.allow) };
      return [name, { allow, deny: filters(`${where}.deny`, rules.deny ?? []) }];
    }),
  );
}

function filters(option: string, found: unknown): string[] {
  if (Array.isArray(found) && found.every((filter) => typeof filter === 'string')) return found;
  throw wrong(option, found, 'a list of Topic Filters');
}

/** The 16 bytes of a seed. */
export function seedOf(seed: BrokerOptions['seed']): Uint8Array {
  if (seed === undefined) return crypto.getRandomValues(new Uint8Array(16));
  if (ArrayBuffer.isView(seed) && seed.byteLength === 16) return seed;
  if (typeof seed === 'number' && Number.isSafeInteger(seed) && seed >= 0) {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(seed), true);
    return bytes;
  }
  throw wrong('seed', seed, '16 bytes, or a whole number from 0 on');
}
