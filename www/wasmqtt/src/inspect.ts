/**
 * A look at a broker's state, read page by page from the core and put together for people.
 */
import { plain, type Qos, qosOf } from './events.js';

/** A Subscription. */
export interface SubscriptionView {
  /** Topic Filter, `$share/...` included. */
  filter: string;
  /** The highest QoS at which messages are sent for it. */
  qos: Qos;
  /** Whether the client's own messages are left out. */
  noLocal: boolean;
  /** Whether RETAIN is passed on as it was published. */
  retainAsPublished: boolean;
  /** Subscription Identifier, 1 to 268,435,455, if the client gave one. */
  identifier?: number;
}

/** A message that is kept. */
export interface MessageView {
  /** Topic Name. */
  topic: string;
  /** The QoS at which it is sent; of a Retained Message, at which it was published. */
  qos: Qos;
  /** RETAIN as it is sent. */
  retain: boolean;
  /** A copy of the payload. */
  payload: Uint8Array;
  /** Properties as they stand on the wire. */
  properties: Uint8Array;
  /** When it expires, in milliseconds since 1970. */
  expiresAt?: number;
}

/** A message on its way to a client. */
export interface InFlightView {
  /** Packet Identifier, 1 to 65,535. */
  packetIdentifier: number;
  /** What it waits for. */
  awaits: 'PUBACK' | 'PUBREC' | 'PUBCOMP';
  /** Absent once the client has it. */
  message?: MessageView;
}

/** A Session. */
export interface SessionView {
  /** Client Identifier. */
  clientIdentifier: string;
  /** As `auth` named its user. */
  user?: string;
  /** The MQTT version that its client spoke last. */
  version: '3.1' | '3.1.1' | '5.0';
  /** Whether its client is connected. */
  connected: boolean;
  /** Session Expiry Interval, in seconds; 0xffff_ffff = no end. */
  sessionExpiryIntervalS: number;
  /** When it ends if its client stays away, in milliseconds since 1970. */
  expiresAt?: number;
  /** When its Will is due, in milliseconds since 1970. */
  willAt?: number;
  /** How many QoS 1 and 2 messages may be under way to its client at once; 0 while it is away. */
  receiveMaximum: number;
  /** QoS 2 messages of the client that are half-way. */
  receivedQos2: number;
  /** Keep Alive in force, in seconds; 0 = none. */
  keepAliveS: number;
  /** When its client sent something last, in milliseconds since 1970. */
  lastPacketAt?: number;
  /** Its Subscriptions, in the order in which they were made. */
  subscriptions: SubscriptionView[];
  /** Messages under way to its client, oldest first. */
  inFlight: InFlightView[];
  /** Messages that wait, oldest first. */
  queue: MessageView[];
}

/** A bridge. */
export interface BridgeView {
  /** Its name. */
  name: string;
  /** Where its remote is. */
  url: string;
  /** Of its Session here, which is among `sessions` with what waits and what is in flight. */
  clientIdentifier: string;
  /** `dialling`: a WebSocket is being opened. `connecting`: the remote is being asked. `waiting`: until `dialsAt`. */
  state: 'dialling' | 'connecting' | 'up' | 'waiting';
  /** When it dials again, in milliseconds since 1970. */
  dialsAt?: number;
}

/** All that a broker keeps. */
export interface BrokerView {
  /** All bridges. */
  bridges: BridgeView[];
  /** All Sessions, those of `subscribe` too. */
  sessions: SessionView[];
  /** All Retained Messages. */
  retained: MessageView[];
}

/** Asks the core for a page of a subject; `undefined` if there is no such Session. */
export type AskPage = (subject: unknown, skip: number, limit: number) => Record<string, unknown>[] | undefined;

const PAGE = 1_000;

function* all(ask: AskPage, subject: unknown): Generator<Record<string, unknown>> {
  for (let skip = 0; ; skip += PAGE) {
    const page = ask(subject, skip, PAGE) ?? [];
    yield* page;
    if (page.length < PAGE) return;
  }
}

/** Microseconds to milliseconds, for every field that is a moment. */
function moments(view: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(view).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, name.endsWith('At') ? (value as number) / 1000 : value]),
  );
}

const message = (view: Record<string, unknown>): MessageView => moments(plain(view)) as unknown as MessageView;

function subscription(view: Record<string, unknown>): SubscriptionView {
  const options = view.options as Record<string, unknown>;
  return {
    filter: view.filter as string,
    qos: qosOf(options.qos),
    noLocal: options.no_local === true,
    retainAsPublished: options.retain_as_published === true,
    ...(view.identifier !== undefined && { identifier: view.identifier as number }),
  };
}

function inFlight(view: Record<string, unknown>): InFlightView {
  const kept = view.message as Record<string, unknown> | undefined;
  return {
    packetIdentifier: view.packet_identifier as number,
    awaits: (view.awaits as string).toUpperCase() as InFlightView['awaits'],
    ...(kept !== undefined && { message: message(kept) }),
  };
}

function session(ask: AskPage, view: Record<string, unknown>): SessionView {
  const client_identifier = view.client_identifier;
  const { subscriptions, queued, inFlight: flying, ...rest } = moments(plain(view));
  return {
    ...rest,
    connected: view.conn !== undefined,
    subscriptions: [...all(ask, { Subscriptions: { client_identifier } })].map(subscription),
    inFlight: [...all(ask, { InFlight: { client_identifier } })].map(inFlight),
    queue: [...all(ask, { Queue: { client_identifier } })].map(message),
  } as unknown as SessionView;
}

function bridge(view: Record<string, unknown>): BridgeView {
  const at = view.dials_at as number | undefined;
  const open = view.conn === undefined ? 'dialling' : 'connecting';
  return {
    name: view.name as string,
    url: view.target as string,
    clientIdentifier: view.session as string,
    state: view.up === true ? 'up' : at === undefined ? open : 'waiting',
    ...(at !== undefined && { dialsAt: at / 1000 }),
  };
}

/** All bridges, Sessions and Retained Messages. */
export function inspectAll(ask: AskPage): BrokerView {
  return {
    bridges: [...all(ask, 'Bridges')].map(bridge),
    sessions: [...all(ask, 'Sessions')].map((view) => session(ask, view)),
    retained: [...all(ask, { Retained: { filter: '#' } }), ...all(ask, { Retained: { filter: '$SYS/#' } })].map(
      message,
    ),
  };
}

/** One Session; `undefined` if there is none. */
export function inspectOne(ask: AskPage, clientIdentifier: string): SessionView | undefined {
  for (const view of all(ask, 'Sessions')) {
    if (view.client_identifier === clientIdentifier) return session(ask, view);
  }
  return undefined;
}
