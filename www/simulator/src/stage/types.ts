// Everything that the Stage gives and takes, as it crosses: JSON, in the words of crates/sim/src/stage. Times are
// microseconds of virtual time since the scenario's beginning, entries of the log are counted from 0. What a check or a
// lesson is made of stands in lessons/stage.ts; here stands what the Stage itself accepts, where nearly all may be absent.

import type { Text } from '../i18n/text';
import type { Check, Icon, Link, Micros, PacketName, Qos, Version, WhyNot } from '../lessons/stage';

export type { Check, Icon, Link, Micros, PacketName, Qos, Version, WhyNot };

/** Protocol level on the wire: 3 is MQTT 3.1, 4 is 3.1.1. */
export type Level = 3 | 4 | 5;
export type Toward = 'broker' | 'client';
export type End = 'broker' | 'client';

// Scenario and commands

/** An Application Message to publish; what only 5.0 has is refused from a client that speaks another version. */
export interface Message {
  readonly topic: string;
  readonly payload?: string;
  /** Instead of `payload`. */
  readonly payload_hex?: string;
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly expiry_s?: number;
  readonly content_type?: string;
  readonly response_topic?: string;
  readonly correlation?: string;
  readonly payload_is_text?: boolean;
  readonly user?: readonly (readonly [string, string])[];
}

/** Absent: as it was. `null` takes an optional field back. */
export interface ConnectOptions {
  readonly client_identifier?: string;
  readonly version?: Version;
  readonly clean_start?: boolean;
  readonly keep_alive_s?: number;
  readonly session_expiry_s?: number;
  readonly receive_maximum?: number;
  readonly maximum_packet_size?: number | null;
  readonly topic_alias_maximum?: number;
  readonly request_response_information?: boolean | null;
  readonly request_problem_information?: boolean | null;
  readonly user?: readonly (readonly [string, string])[];
  readonly user_name?: string | null;
  readonly password?: string | null;
  readonly will?: (Message & { readonly delay_s?: number }) | null;
  /** Comes back by itself so long after it learned of the end; `null`: never. */
  readonly reconnect_s?: number | null;
  readonly ack?: 'auto' | 'manual';
}

export interface ClientOptions extends ConnectOptions {
  /** What commands call it; not empty and not "broker". */
  readonly id: string;
  readonly name?: string | Text;
  readonly icon?: Icon;
  readonly link?: Partial<Link>;
}

export interface Rule {
  /** Absent: everything. */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/** What can be changed while the broker runs. */
export interface BrokerLimits {
  readonly receive_maximum?: number;
  readonly in_flight_max?: number;
  readonly maximum_qos?: Qos;
  readonly queue_messages_max?: number;
  readonly keep_alive_max_s?: number;
  readonly topic_alias_maximum?: number;
  readonly session_expiry_max_s?: number;
  readonly packet_bytes_max?: number;
  readonly retain_available?: boolean;
  readonly wildcard_subscription_available?: boolean;
  readonly shared_subscription_available?: boolean;
  readonly permissions?: { readonly publish?: Rule; readonly subscribe?: Rule; readonly receive?: Rule };
}

export interface BrokerConfig extends BrokerLimits {
  readonly storage?: boolean;
  readonly sys?: boolean;
}

export type StageCommand =
  | ({ readonly do: 'connect'; readonly who: string } & ConnectOptions)
  | { readonly do: 'disconnect'; readonly who: string; readonly with_will?: boolean }
  | {
      readonly do: 'subscribe';
      readonly who: string;
      readonly filter: string;
      readonly qos?: Qos;
      readonly no_local?: boolean;
      readonly retain_as_published?: boolean;
      readonly retain_handling?: 0 | 1 | 2;
      readonly identifier?: number;
    }
  | { readonly do: 'unsubscribe'; readonly who: string; readonly filter: string }
  | ({ readonly do: 'publish'; readonly who: string } & Message)
  | { readonly do: 'ack'; readonly who: string }
  | { readonly do: 'raw'; readonly who: string; readonly hex: string }
  | ({ readonly do: 'link'; readonly who: string } & Partial<Link>)
  | { readonly do: 'cut'; readonly who: string }
  | { readonly do: 'half_open'; readonly who: string; readonly toward?: Toward | 'both' }
  | { readonly do: 'heal'; readonly who: string }
  | {
      readonly do: 'cut_when';
      readonly who: string;
      readonly packet: PacketName;
      readonly toward: Toward;
      readonly nth?: number;
      readonly at: 'sent' | 'half_way' | 'delivered';
    }
  | { readonly do: 'cancel_cut_when'; readonly who: string }
  | { readonly do: 'freeze'; readonly who: string }
  | { readonly do: 'thaw'; readonly who: string }
  | { readonly do: 'restart'; readonly storage: boolean }
  | { readonly do: 'broker'; readonly set: BrokerLimits }
  | { readonly do: 'add_client'; readonly client: ClientOptions }
  | { readonly do: 'remove_client'; readonly who: string }
  | { readonly do: 'predict'; readonly option: string };

export interface StageScenario {
  readonly v: 1;
  readonly seed?: number;
  readonly broker?: BrokerConfig;
  readonly clients?: readonly ClientOptions[];
  readonly script?: readonly (readonly [Micros, StageCommand])[];
  readonly goal?: Check;
  readonly lock?: readonly string[];
  readonly view?: 'map' | 'ladder' | 'split';
  readonly lang?: 'ko' | 'en';
  /** When the reader comes in: all before it has happened then. */
  readonly begin?: Micros;
}

// The log

export interface Sent {
  /** Its number: that of its entry. */
  readonly packet: number;
  readonly link: number;
  readonly who: string;
  readonly toward: Toward;
  /** `null`: bytes that are no packet. */
  readonly type: PacketName | null;
  readonly level: Level;
  /** Hexadecimal. */
  readonly bytes: string;
  /** The plan only; `null` on a half-open link. */
  readonly arrives_at: Micros | null;
  readonly id?: number;
  /** With its Topic Alias resolved. */
  readonly topic?: string;
  readonly payload?: string;
  readonly qos?: Qos;
  readonly dup?: boolean;
  readonly retain?: boolean;
  readonly reason?: number;
  readonly session_present?: boolean;
  readonly clean_start?: boolean;
  readonly filters?: readonly string[];
  readonly codes?: readonly number[];
  /** The rule that it breaks. */
  readonly error?: string;
}

/** The end of a packet's way. */
export interface Passed {
  readonly packet: number;
  readonly link: number;
  readonly who: string;
  readonly toward: Toward;
  readonly type: PacketName | null;
}

export interface Lost extends Passed {
  /** 0 to 1; 1: it arrived where nobody reads any more. */
  readonly how_far: number;
}

export interface Place {
  readonly link: number;
  readonly who: string;
}

export interface Decision {
  /** Counts accepted messages since the broker began. */
  readonly publication: number;
  readonly is: 'published' | 'delivered' | 'not_delivered';
  /** Absent for the broker itself. */
  readonly who?: string;
  readonly client_identifier?: string;
  readonly topic?: string;
  readonly filter?: string;
  readonly qos?: Qos;
  /** Of a delivery: it is sent because it was retained. */
  readonly retain?: boolean;
  readonly how?: 'sent' | 'queued';
  readonly why?: WhyNot;
  /** From 1: where the nearest filter doesn't match. */
  readonly level?: number;
  readonly statement: string;
}

export interface Happening {
  readonly is: 'connected' | 'refused' | 'disconnected' | 'dropping' | 'limit_reached' | 'session_ended';
  readonly who?: string;
  readonly client_identifier?: string;
  readonly session_present?: boolean;
  readonly session_kept?: boolean;
  readonly reason?: number;
  /** English words. */
  readonly why?: string;
  readonly statement?: string;
}

export interface Told {
  readonly who: string;
  readonly packet: number | null;
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly dup: boolean;
}

export type TimerKind =
  | 'keep_alive'
  | 'connect_timeout'
  | 'session_expiry'
  | 'will_delay'
  | 'message_expiry'
  | 'ping'
  | 'no_pingresp'
  | 'reconnect';

export interface EntryBase {
  readonly n: number;
  readonly at: Micros;
  /** The entry that led here. */
  readonly cause?: number;
}

export type CommandEntry = EntryBase & { readonly by?: 'user' | 'script'; readonly command: StageCommand };
export type RefusedEntry = EntryBase & { readonly refused: { readonly why: string } };
export type OpenedEntry = EntryBase & { readonly opened: Place };
export type SentEntry = EntryBase & { readonly sent: Sent };
export type DeliveredEntry = EntryBase & { readonly delivered: Passed };
export type LostEntry = EntryBase & { readonly lost: Lost };
export type BrokeEntry = EntryBase & { readonly broke: Place };
export type LearnedEntry = EntryBase & { readonly learned: Place & { readonly end: End } };
export type ClosedEntry = EntryBase & { readonly closed: Place & { readonly end: End; readonly reason?: string } };
export type DecisionEntry = EntryBase & { readonly decision: Decision };
export type EventEntry = EntryBase & { readonly event: Happening };
export type ToldEntry = EntryBase & { readonly told: Told };
export type TimerEntry = EntryBase & { readonly timer: { readonly what: TimerKind; readonly who?: string } };
export type RestartedEntry = EntryBase & { readonly restarted: { readonly storage: boolean } };

/** One of these; tell them apart by the one key: `'sent' in entry`. */
export type Entry =
  | CommandEntry
  | RefusedEntry
  | OpenedEntry
  | SentEntry
  | DeliveredEntry
  | LostEntry
  | BrokeEntry
  | LearnedEntry
  | ClosedEntry
  | DecisionEntry
  | EventEntry
  | ToldEntry
  | TimerEntry
  | RestartedEntry;

// Views at the playhead

export interface Playhead {
  readonly branch: number;
  /** Entries before this one have happened. */
  readonly entries: number;
  /** How many there are, those behind the playhead too. */
  readonly of: number;
  readonly at: Micros;
  readonly ends_at: Micros;
}

export interface Next {
  readonly at: Micros | null;
  readonly delivery: Micros | null;
  readonly script: Micros | null;
  readonly timers: readonly { readonly at: Micros; readonly what: TimerKind; readonly who: string | null }[];
}

export interface CutWhen {
  readonly toward: Toward;
  readonly packet: PacketName;
  readonly nth: number;
  readonly at: 'sent' | 'half_way' | 'delivered';
}

/** A client, from its own side. */
export interface ClientView {
  readonly who: string;
  readonly state: 'away' | 'connecting' | 'connected';
  readonly client_identifier: string;
  readonly level: Level;
  readonly frozen: boolean;
  readonly link: number | null;
  readonly latency_ms: number;
  readonly jitter_ms: number;
  /** 0: any number. */
  readonly bytes_per_s: number;
  /** Directions in which nothing arrives. */
  readonly half_open: readonly Toward[];
  readonly cut_when: readonly CutWhen[];
  /** When it comes back by itself. */
  readonly back_at: Micros | null;
  /** Messages that wait for its user's acknowledgement. */
  readonly unacknowledged: number;
  /** Messages of its own that are not finished. */
  readonly unfinished: number;
}

export interface KeptMessage {
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly expires_at: Micros | null;
}

export interface Subscription {
  readonly filter: string;
  readonly qos: Qos;
  readonly no_local: boolean;
  readonly retain_as_published: boolean;
  readonly retain_handling: 0 | 1 | 2;
  readonly identifier: number | null;
}

/** A Session, from the broker's side. */
export interface SessionView {
  /** The client that was last connected with it. */
  readonly who: string | null;
  readonly client_identifier: string;
  readonly connected: boolean;
  readonly level: Level;
  readonly subscriptions: readonly Subscription[];
  readonly queue: readonly KeptMessage[];
  readonly in_flight: readonly {
    readonly id: number;
    readonly waits_for: 'PUBACK' | 'PUBREC' | 'PUBCOMP';
    readonly message: KeptMessage | null;
  }[];
  readonly receive_maximum: number;
  /** QoS 2 Packet Identifiers of the client that wait for PUBREL: how many. */
  readonly received_qos2: number;
  /** 0: none. */
  readonly keep_alive_s: number;
  readonly last_packet_at: Micros | null;
  /** When the broker gives it up unless a packet comes. */
  readonly keep_alive_at: Micros | null;
  /** 4,294,967,295: never. */
  readonly session_expiry_s: number;
  /** When it ends, while the client is away. */
  readonly expires_at: Micros | null;
  readonly will: {
    readonly message: KeptMessage | null;
    readonly delay_s: number;
    /** When it is published, if its delay runs. */
    readonly due_at: Micros | null;
  } | null;
}

export const SESSION_NEVER_EXPIRES = 4_294_967_295;

export interface Sessions {
  readonly clients: readonly ClientView[];
  readonly sessions: readonly SessionView[];
}

export interface TopicView {
  readonly topic: string;
  readonly retained: KeptMessage | null;
  readonly published: number;
  /** The decision with which the last one was published. */
  readonly last: number | null;
}

export type Topics = readonly TopicView[];

export interface TriedFilter {
  /** The rule that it breaks (English words) and the statement. */
  readonly error: readonly [string, string] | null;
  /** For each topic the level, from 1, at which it fails; `null`: it matches. */
  readonly topics: readonly (readonly [string, number | null])[];
}

export interface Outcome {
  /** A client, or the Client Identifier of a Session that no client here has. */
  readonly who: string;
  /** The entry of the decision. */
  readonly n: number | null;
  readonly is: 'delivered' | 'not_delivered' | 'no_session';
  readonly decision: Decision | null;
  /** The packets that carried it, those sent again too. */
  readonly packets: readonly number[];
  readonly told: readonly number[];
}

export interface Why {
  /** The entry with which the broker accepted it. */
  readonly published: number | null;
  /** The packet that brought it; `null`: the broker published it itself, as a Will. */
  readonly packet: number | null;
  /** What became of that packet, if nothing was published. */
  readonly fate: 'on_its_way' | 'lost' | 'not_accepted' | null;
  readonly message: Decision | null;
  readonly payload: string | null;
  readonly clients: readonly Outcome[];
}

export type FieldValue =
  | 'group'
  | { readonly number: number }
  | { readonly flag: boolean }
  | { readonly text: string }
  | { readonly hex: string }
  | { readonly reason: readonly [number, string] }
  | { readonly packet: PacketName };

/** A field of a packet. */
export interface PacketField {
  /** The standard's name. */
  readonly name: string;
  /** Such as `5:3.3.1.1` or `311:3.3.1.1`. */
  readonly section: string;
  /** Its first byte. */
  readonly from: number;
  /** The byte behind its last. */
  readonly to: number;
  /** Highest and lowest bit, for a part of a byte. */
  readonly bits: readonly [number, number] | null;
  /** How many groups it is inside of. */
  readonly depth: number;
  readonly value: FieldValue;
}

/** The rule that bytes break (English words), the statement, and the byte. */
export type DecodeError = readonly [rule: string, statement: string, byte: number];

export interface PacketView {
  readonly packet: number;
  readonly sent: Sent;
  readonly fate: 'on_its_way' | 'delivered' | 'lost';
  readonly cause: number | null;
  readonly effects: readonly number[];
  readonly fields: readonly PacketField[];
  readonly error: DecodeError | null;
}

/** Of bytes that nobody sent. */
export type Described = readonly [fields: readonly PacketField[], error: DecodeError | null];

export interface Branch {
  readonly branch: number;
  readonly parent: number | null;
  /** Entries that it shares with its parent. */
  readonly from: number;
  readonly entries: number;
  readonly ends_at: Micros;
  readonly label: string | null;
  readonly command: StageCommand | null;
}

export type Branches = readonly Branch[];

export interface ComparisonSide {
  readonly branch: number;
  readonly ends_at: Micros;
  readonly sent: number;
  readonly lost: number;
  /** What users got after the branches parted: who, and the entry. */
  readonly told: readonly (readonly [who: string, n: number])[];
}

export interface Comparison {
  /** Entries that both have. */
  readonly common: number;
  /** When they part. */
  readonly at: Micros;
  readonly left: ComparisonSide;
  readonly right: ComparisonSide;
}

export interface Verdict {
  readonly holds: boolean;
  /** Of `all` and `any`. */
  readonly parts?: readonly Verdict[];
}
