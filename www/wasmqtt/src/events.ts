/**
 * What `broker.on(...)` tells: everything that happens at the core's door, under names that JavaScript people expect.
 * Nothing here decides anything; what the core says is only renamed.
 */

import type * as door from '../generated/door.js';
import type { Output } from './engine.js';
import { camel, fields, fromCore, kebab, variant } from './names.js';
import type { StorageEvent } from './storage/journal.js';

/** QoS 0, 1 or 2. */
export type Qos = 0 | 1 | 2;

/** A client came, was refused, or went. */
export type ConnectionEvent =
  /** It connected. `user` is as `auth` named it; `sessionPresent` tells that its Session went on. */
  | {
      type: 'connected';
      clientIdentifier: string;
      version: '3.1' | '3.1.1' | '5.0';
      user?: string;
      cleanStart: boolean;
      sessionPresent: boolean;
      /** Keep Alive in force, in seconds; 0 = none. */
      keepAliveS: number;
    }
  /** It never became a client: Reason Code, statement of the standard, and a line for people. */
  | { type: 'refused'; clientIdentifier?: string; code: number; statement: string; text: string }
  /**
   * Without `code` (a Reason Code) the connection was cut; `statement` and `text` are there if the broker ended it for a
   * fault. `sessionKept` tells whether its Session goes on without it.
   */
  | {
      type: 'disconnected';
      clientIdentifier: string;
      sessionKept: boolean;
      code?: number;
      statement?: string;
      text?: string;
    };

/** Something about a Session. */
export type SessionEvent =
  /** A Session is gone with its Subscriptions and queue. */
  | { type: 'ended'; clientIdentifier: string; why: 'expired' | 'clean-start' | 'kicked' }
  /** Messages for it are being dropped; told once when that begins. */
  | {
      type: 'dropping';
      clientIdentifier: string;
      why: 'queue-full' | 'outbox-full' | 'packet-too-large' | 'expired' | 'memory';
    }
  /** A limit was reached and its answer given. */
  | { type: 'limit'; clientIdentifier?: string; code: number; statement: string; text: string };

/** Why a Session doesn't get a message. `filter` and `level` (from 1) say where a Topic Filter stopped matching. */
export interface NotDelivered {
  reason:
    | 'no-subscription'
    | 'no-match'
    | 'dollar'
    | 'no-local'
    | 'not-permitted'
    | 'another-member'
    | 'offline'
    | 'queue-full'
    | 'outbox-full'
    | 'packet-too-large'
    | 'expired'
    | 'memory';
  filter?: string;
  level?: number;
}

/** What the core decided about a message. Decisions with the same `publication` are about the same message. */
export type DecisionEvent =
  | {
      type: 'published';
      publication: number;
      /** Who published; absent for the broker itself. */
      clientIdentifier?: string;
      topic: string;
      qos: Qos;
      retain: boolean;
      payloadBytes: number;
    }
  | {
      type: 'delivered';
      publication: number;
      clientIdentifier: string;
      /** The Topic Filter that matched. */
      filter: string;
      qos: Qos;
      /** Sent because it was retained. */
      retained: boolean;
      how: 'sent' | 'queued';
    }
  | { type: 'not-delivered'; publication: number; clientIdentifier: string; why: NotDelivered };

/** A packet that reached the broker or left it. */
export interface PacketEvent {
  type: 'packet';
  /** A number for the connection, never used again. */
  connection: number;
  /** Whose, once its CONNECT was accepted; of a bridge its Session's, `$bridge/NAME`. */
  clientIdentifier?: string;
  /** Who sent it: the client, this broker, or the broker to which a bridge leads. */
  from: 'client' | 'broker' | 'remote';
  /** PUBLISH, SUBACK, ... */
  name: string;
  /** The whole packet. */
  bytes: Uint8Array;
}

/** Where a bridge stands. `name` is its own. */
export type BridgeEvent =
  /** The remote accepted it. `sessionPresent`: it went on with the Session that it has for us. */
  | { type: 'up'; name: string; sessionPresent: boolean /** In force, in seconds; 0 = none. */; keepAliveS: number }
  /** Its connection, or the attempt at one, is over. */
  | {
      type: 'down';
      name: string;
      /**
       * `dial-failed`: the remote could not be reached, `text` has what the WebSocket said. `refused`: the remote did not
       * let us in. `lost`: the connection is gone without a word. `disconnected`: the remote said so. `fault`: the remote
       * broke the rules or did not answer in time. `removed`: it was removed, or has other options now. `stopping`: this
       * broker ends. `kicked`: by `broker.kick`.
       */
      why:
        | 'dial-failed'
        | 'refused'
        | 'lost'
        | 'disconnected'
        | 'fault'
        | 'removed'
        | 'stopping'
        | 'kicked'
        | 'taken-over';
      /** When it dials again, in milliseconds since 1970; absent if it does not. */
      dialsAt?: number;
      /** A Reason Code, if one was given; with a `fault` also the statement of the standard and a line for people. */
      code?: number;
      statement?: string;
      text?: string;
    }
  /** The remote does not give us what matches this Topic Filter, for a reason that a Reason Code tells. */
  | { type: 'topic-refused'; name: string; filter: string; code: number };

/** An `auth` callback that failed; the client was told 0x88. */
export interface AuthErrorEvent {
  type: 'auth-error';
  clientIdentifier: string;
  error: unknown;
}

/** The names for `on` and what each tells. */
export interface BrokerEvents {
  packet: PacketEvent;
  connection: ConnectionEvent | AuthErrorEvent;
  session: SessionEvent;
  decision: DecisionEvent;
  bridge: BridgeEvent;
  storage: StorageEvent;
}

/** The names for `on`. */
export const EVENT_NAMES = ['packet', 'connection', 'session', 'decision', 'bridge', 'storage'] as const;

const QOS: Record<string, Qos> = { AtMostOnce: 0, AtLeastOnce: 1, ExactlyOnce: 2 };
const VERSIONS: Record<string, '3.1' | '3.1.1' | '5.0'> = { V3_1: '3.1', V3_1_1: '3.1.1', V5: '5.0' };

/** A QoS of the core. */
export const qosOf = (qos: unknown): Qos => QOS[qos as string] ?? 0;

/** A version of the core. */
export const versionOf = (version: unknown): '3.1' | '3.1.1' | '5.0' => VERSIONS[version as string] ?? '5.0';

/** Fields with what is not only a name put right. */
export function plain(content: Record<string, unknown>): Record<string, unknown> {
  const out = fields(content);
  if (content.qos !== undefined) out.qos = qosOf(content.qos);
  if (content.version !== undefined) out.version = versionOf(content.version);
  delete out.conn;
  delete out.fault;
  return out;
}

const EVENTS: Record<string, ['connection' | 'session', string]> = {
  Connected: ['connection', 'connected'],
  Refused: ['connection', 'refused'],
  Disconnected: ['connection', 'disconnected'],
  Dropping: ['session', 'dropping'],
  LimitReached: ['session', 'limit'],
  SessionEnded: ['session', 'ended'],
};

/** An `Event` of the core: for whom it is and what it says; `undefined` for one that has no name here yet. */
export function eventOf(output: Output): ['connection' | 'session', ConnectionEvent | SessionEvent] | undefined {
  const [name, content] = variant(output.Event);
  const [to, type] = EVENTS[name] ?? [];
  if (to === undefined) return undefined;
  const { why, ...rest } = plain(content);
  const explained = { code: output.code, statement: output.statement, text: output.text };
  const known = Object.entries(explained).filter(([, value]) => value !== undefined);
  const reason = to === 'session' && typeof content.why === 'string' ? { why: kebab(content.why) } : {};
  return [to, { type, ...rest, ...reason, ...Object.fromEntries(known) } as ConnectionEvent | SessionEvent];
}

/** A `Trace` of the core. */
export function decisionOf(trace: unknown): DecisionEvent {
  const [name, content] = variant(trace);
  const out = { type: kebab(name), ...plain(content) } as Record<string, unknown>;
  if (typeof content.how === 'string') out.how = kebab(content.how);
  if (content.why !== undefined) {
    const [reason, details] = variant(content.why);
    out.why = { reason: kebab(reason), ...fields(details) };
  }
  return out as unknown as DecisionEvent;
}

type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

/**
 * Counters since the start and gauges of now, named after what they count: `publishesReceived`, `droppedQueueFull`,
 * `connections`, `memoryBytes`, ... In `refusals` stands how often each rule was broken, with a line for people.
 */
export type Counters = { [Name in keyof door.Counters as Camel<Name>]: door.Counters[Name] };

/** Counters under their names here. */
export const countersOf = (counters: Record<string, unknown>): Counters =>
  Object.fromEntries(Object.entries(counters).map(([name, value]) => [camel(name), fromCore(value)])) as Counters;

type Handler<E> = (event: E) => void;

/** Who listens to what. */
export class Listeners {
  #handlers = new Map<keyof BrokerEvents, Set<Handler<never>>>();
  #changed: (name: keyof BrokerEvents) => void;

  /** `changed` is called when the first handler of a name comes or its last one goes. */
  constructor(changed: (name: keyof BrokerEvents) => void) {
    this.#changed = changed;
  }

  /** Whether anybody listens. */
  has(name: keyof BrokerEvents): boolean {
    return (this.#handlers.get(name)?.size ?? 0) > 0;
  }

  /** Adds a handler; the function that comes back takes it away. */
  on<N extends keyof BrokerEvents>(name: N, handler: Handler<BrokerEvents[N]>): () => void {
    const set = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, set);
    // The same function may listen twice.
    const own: Handler<BrokerEvents[N]> = (event) => handler(event);
    set.add(own as Handler<never>);
    if (set.size === 1) this.#changed(name);
    return () => {
      if (set.delete(own as Handler<never>) && set.size === 0) this.#changed(name);
    };
  }

  /** Tells everybody; one that throws keeps nobody else from hearing. */
  tell<N extends keyof BrokerEvents>(name: N, event: BrokerEvents[N]): void {
    for (const handler of this.#handlers.get(name) ?? []) {
      try {
        (handler as Handler<BrokerEvents[N]>)(event);
      } catch (error) {
        reportLater(error);
      }
    }
  }
}

/** Lets an error of a user's function be seen where errors are, without stopping the broker. */
export function reportLater(error: unknown): void {
  if (typeof reportError === 'function') reportError(error);
  else
    queueMicrotask(() => {
      throw error;
    });
}
