// The language that the Stage understands: scenarios, commands and checks, as they cross into the World. Everything here
// is plain JSON; what the World does with it is written in its own documentation, and it refuses what it doesn't know.

import type { Text } from '../i18n/text';

/** Microseconds of virtual time since the scenario's beginning. */
export type Micros = number;

/** Seconds as microseconds. */
export const s = (seconds: number): Micros => Math.round(seconds * 1_000_000);

export type Version = '3.1' | '3.1.1' | '5.0';
export type Qos = 0 | 1 | 2;
export type Icon = 'sensor' | 'phone' | 'server' | 'dashboard';

export type PacketName =
  | 'CONNECT'
  | 'CONNACK'
  | 'PUBLISH'
  | 'PUBACK'
  | 'PUBREC'
  | 'PUBREL'
  | 'PUBCOMP'
  | 'SUBSCRIBE'
  | 'SUBACK'
  | 'UNSUBSCRIBE'
  | 'UNSUBACK'
  | 'PINGREQ'
  | 'PINGRESP'
  | 'DISCONNECT'
  | 'AUTH';

export interface Will {
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly delay_s: number;
}

/** What a client says in CONNECT. */
export interface ConnectFields {
  /** Absent: the client's id. */
  readonly client_identifier?: string;
  readonly version: Version;
  readonly clean_start: boolean;
  readonly keep_alive_s: number;
  readonly session_expiry_s: number;
  readonly receive_maximum: number;
  readonly user_name?: string;
  readonly password?: string;
  readonly will?: Will;
}

/** `latency_ms` is one way; jitter delays and never reorders; 0 bytes a second is no limit. */
export interface Link {
  readonly latency_ms: number;
  readonly jitter_ms: number;
  readonly bytes_per_s: number;
}

export interface Client extends ConnectFields {
  /** The name in commands and checks. */
  readonly id: string;
  readonly name: Text;
  readonly icon: Icon;
  /** Comes back by itself so long after it learned of the end; absent: never. */
  readonly reconnect_s?: number;
  readonly ack: 'auto' | 'manual';
  readonly link: Link;
}

export interface BrokerOptions {
  readonly storage: boolean;
  readonly receive_maximum: number;
  readonly maximum_qos: Qos;
  readonly queue_messages_max: number;
  readonly sys: boolean;
}

export type Command =
  | ({ readonly do: 'connect'; readonly who: string } & Partial<ConnectFields>)
  | { readonly do: 'disconnect'; readonly who: string; readonly with_will?: boolean }
  | {
      readonly do: 'subscribe';
      readonly who: string;
      readonly filter: string;
      readonly qos: Qos;
      readonly no_local?: boolean;
      readonly retain_as_published?: boolean;
      readonly retain_handling?: 0 | 1 | 2;
      readonly identifier?: number;
    }
  | { readonly do: 'unsubscribe'; readonly who: string; readonly filter: string }
  | {
      readonly do: 'publish';
      readonly who: string;
      readonly topic: string;
      readonly payload: string;
      readonly qos?: Qos;
      readonly retain?: boolean;
      readonly expiry_s?: number;
      readonly content_type?: string;
      readonly response_topic?: string;
      readonly correlation?: string;
      readonly user?: readonly (readonly [string, string])[];
    }
  | { readonly do: 'ack'; readonly who: string }
  | { readonly do: 'raw'; readonly who: string; readonly hex: string }
  | ({ readonly do: 'link'; readonly who: string } & Partial<Link>)
  | { readonly do: 'cut'; readonly who: string }
  | { readonly do: 'half_open'; readonly who: string; readonly toward?: 'broker' | 'client' | 'both' }
  | { readonly do: 'heal'; readonly who: string }
  | {
      readonly do: 'cut_when';
      readonly who: string;
      readonly packet: PacketName;
      readonly toward: 'broker' | 'client';
      readonly nth: number;
      readonly at: 'sent' | 'half_way' | 'delivered';
    }
  | { readonly do: 'cancel_cut_when'; readonly who: string }
  | { readonly do: 'freeze'; readonly who: string }
  | { readonly do: 'thaw'; readonly who: string }
  | { readonly do: 'restart'; readonly storage: boolean }
  | { readonly do: 'add_client'; readonly client: Client }
  | { readonly do: 'remove_client'; readonly who: string }
  | { readonly do: 'broker'; readonly set: Partial<BrokerOptions> }
  | { readonly do: 'predict'; readonly option: string };

export type CommandName = Command['do'];

/** Fields that must be equal in a packet on a link; what is absent may be anything. */
export interface OnLink {
  readonly from?: string;
  readonly to?: string;
  readonly packet?: PacketName;
  readonly topic?: string;
  readonly payload?: string;
  readonly qos?: Qos;
  readonly dup?: boolean;
  readonly retain?: boolean;
  readonly reason?: number;
  readonly session_present?: boolean;
}

export type WhyNot =
  | 'no_subscription'
  | 'no_match'
  | 'dollar'
  | 'no_local'
  | 'not_permitted'
  | 'another_member'
  | 'offline'
  | 'queue_full'
  | 'outbox_full'
  | 'packet_too_large'
  | 'expired'
  | 'memory';

export type RefusalKind =
  | 'no_client'
  | 'is_there'
  | 'connected'
  | 'not_connected'
  | 'frozen'
  | 'not_frozen'
  | 'nothing_to_acknowledge'
  | 'not_half_open'
  | 'no_cut_when'
  | 'no_storage'
  | 'only_v5'
  | 'no_identifier'
  | 'topic'
  | 'malformed';

/** One entry of the log, or the state at its end. */
export type Atom =
  | {
      readonly told: {
        readonly who?: string;
        readonly topic?: string;
        readonly payload?: string;
        readonly qos?: Qos;
        readonly retain?: boolean;
        readonly dup?: boolean;
      };
    }
  | { readonly sent: OnLink }
  | { readonly delivered: OnLink }
  | { readonly lost: OnLink }
  | {
      readonly state: {
        readonly who: string;
        readonly connected?: boolean;
        readonly session?: boolean;
        readonly subscribed?: string;
        readonly subscriptions?: number;
        readonly queued?: number;
      };
    }
  | {
      readonly command: {
        readonly do: CommandName;
        readonly who?: string;
        readonly by?: 'user' | 'script';
        readonly topic?: string;
        readonly filter?: string;
        readonly payload?: string;
        readonly qos?: Qos;
        readonly retain?: boolean;
        readonly storage?: boolean;
        readonly with_will?: boolean;
        readonly keep_alive_s?: number;
      };
    }
  /** A command that can't be obeyed. One of a person leaves no entry: it counts until another is obeyed. */
  | { readonly refused: { readonly who?: string; readonly do?: CommandName; readonly why?: RefusalKind } }
  | {
      readonly decision: {
        readonly is: 'published' | 'delivered' | 'not_delivered';
        readonly who?: string;
        readonly topic?: string;
        readonly why?: WhyNot;
        readonly filter?: string;
        readonly how?: 'sent' | 'queued';
      };
    }
  | { readonly predicted: string };

/** A question to the log, asked again after every entry. */
export type Check =
  | Atom
  | { readonly all: readonly Check[] }
  | { readonly any: readonly Check[] }
  | { readonly not: Check }
  | { readonly count: { readonly of: Atom; readonly min?: number; readonly max?: number } }
  /** One after another, with anything between them. */
  | { readonly before: readonly [Atom, Atom, ...Atom[]] }
  /** Some A at most so long after some B that came before it. */
  | { readonly within: { readonly of: Atom; readonly after: Atom; readonly ms: number } }
  /** No A since the last B, and that is at least so long ago. */
  | { readonly quiet: { readonly of: Atom; readonly after: Atom; readonly ms: number } }
  /** The check, over what came after the last of these only. */
  | { readonly since: { readonly last: Atom; readonly check: Check } };

export interface Scenario {
  readonly v: 1;
  readonly seed: number;
  readonly broker: BrokerOptions;
  readonly clients: readonly Client[];
  /** What happens by itself. */
  readonly script: readonly (readonly [Micros, Command])[];
  /** The script has run so far when the learner first sees the Stage. */
  readonly begin?: Micros;
  /** Commands that the page doesn't offer. */
  readonly lock?: readonly CommandName[];
  readonly goal?: Check;
  readonly view?: 'map' | 'ladder' | 'split';
}
