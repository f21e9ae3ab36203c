// What stands in the forms, as text, and the commands that it becomes. A form says of each field what is wrong with it.

import type { ClientOptions, ConnectOptions, Message, Qos, StageCommand, Version } from '../../stage/types';
import { numberIn } from '../field';

const U16_MAX = 65_535;
const U32_MAX = 4_294_967_295;
const encoder = new TextEncoder();

export type Problem =
  | { readonly is: 'required' | 'wildcard' | 'tooLong' | 'hex' }
  | { readonly is: 'number'; readonly min: number; readonly max: number }
  | { readonly is: 'taken'; readonly name: string };
export type Problems = Readonly<Record<string, Problem>>;

/** What a form gives: a value, or what is wrong with it. */
export type Made<T> = { readonly value: T } | { readonly problems: Problems };

export type Pairs = readonly (readonly [string, string])[];

/** Collects what is wrong while values are read. */
class Reader {
  readonly problems: Record<string, Problem> = {};

  /** Empty is `undefined`. */
  number(field: string, text: string, min: number, max: number): number | undefined {
    const value = numberIn(text, min, max);
    if (value === undefined) this.problems[field] = { is: 'number', min, max };
    return value ?? undefined;
  }

  topic(field: string, text: string): string {
    if (text === '') this.problems[field] = { is: 'required' };
    else if (/[+#]/.test(text)) this.problems[field] = { is: 'wildcard' };
    else if (encoder.encode(text).length > U16_MAX) this.problems[field] = { is: 'tooLong' };
    return text;
  }

  text(field: string, text: string): string {
    if (encoder.encode(text).length > U16_MAX) this.problems[field] = { is: 'tooLong' };
    return text;
  }

  made<T>(value: T): Made<T> {
    return Object.keys(this.problems).length > 0 ? { problems: this.problems } : { value };
  }
}

/** Without the fields that say nothing. */
function said<T extends object>(fields: { readonly [key in keyof T]: T[key] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

const filled = (text: string): string | undefined => (text === '' ? undefined : text);
const pairs = (list: Pairs): Pairs | undefined => {
  const kept = list.filter(([name, value]) => name !== '' || value !== '');
  return kept.length > 0 ? kept : undefined;
};
const numberText = (value: number | null | undefined, usual = ''): string => (value == null ? usual : String(value));

export interface PublishDraft {
  readonly topic: string;
  readonly payload: string;
  readonly qos: '0' | '1' | '2';
  readonly retain: boolean;
  readonly expiry: string;
  readonly contentType: string;
  readonly responseTopic: string;
  readonly correlation: string;
  readonly format: 'none' | 'bytes' | 'text';
  readonly user: Pairs;
}

export const EMPTY_PUBLISH: PublishDraft = {
  topic: '',
  payload: '',
  qos: '0',
  retain: false,
  expiry: '',
  contentType: '',
  responseTopic: '',
  correlation: '',
  format: 'none',
  user: [],
};

/** A message; what only 5.0 has is left out for other versions. */
export function messageOf(draft: PublishDraft, v5: boolean): Made<Message> {
  const read = new Reader();
  const message: Message = {
    topic: read.topic('topic', draft.topic),
    payload: draft.payload,
    qos: Number(draft.qos) as Qos,
    retain: draft.retain,
  };
  if (!v5) return read.made(message);
  return read.made(
    said<Message>({
      ...message,
      expiry_s: read.number('expiry', draft.expiry, 0, U32_MAX),
      content_type: filled(read.text('contentType', draft.contentType)),
      response_topic: draft.responseTopic === '' ? undefined : read.topic('responseTopic', draft.responseTopic),
      correlation: filled(read.text('correlation', draft.correlation)),
      payload_is_text: draft.format === 'none' ? undefined : draft.format === 'text',
      user: pairs(draft.user),
    }),
  );
}

export interface SubscribeDraft {
  readonly filter: string;
  readonly qos: '0' | '1' | '2';
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: '0' | '1' | '2';
  readonly identifier: string;
}

export const EMPTY_SUBSCRIBE: SubscribeDraft = {
  filter: '',
  qos: '0',
  noLocal: false,
  retainAsPublished: false,
  retainHandling: '0',
  identifier: '',
};

/** The largest Variable Byte Integer. */
const IDENTIFIER_MAX = 268_435_455;

export function subscribeOf(who: string, draft: SubscribeDraft, v5: boolean): Made<StageCommand> {
  const read = new Reader();
  if (draft.filter === '') read.problems.filter = { is: 'required' };
  const filter = read.text('filter', draft.filter);
  const command = { do: 'subscribe', who, filter, qos: Number(draft.qos) as Qos } as const;
  if (!v5) return read.made<StageCommand>(command);
  return read.made<StageCommand>(
    said<StageCommand & { do: 'subscribe' }>({
      ...command,
      no_local: draft.noLocal || undefined,
      retain_as_published: draft.retainAsPublished || undefined,
      retain_handling: draft.retainHandling === '0' ? undefined : (Number(draft.retainHandling) as 1 | 2),
      identifier: read.number('identifier', draft.identifier, 1, IDENTIFIER_MAX),
    }),
  );
}

export interface ConnectDraft {
  readonly version: Version;
  readonly clientIdentifier: string;
  readonly cleanStart: boolean;
  readonly keepAlive: string;
  readonly sessionExpiry: string;
  readonly receiveMaximum: string;
  readonly maximumPacketSize: string;
  readonly topicAliasMaximum: string;
  readonly requestResponse: boolean;
  readonly requestProblem: boolean;
  readonly user: Pairs;
  readonly userName: string;
  readonly password: string;
  readonly hasWill: boolean;
  readonly will: PublishDraft;
  readonly willDelay: string;
  readonly reconnect: string;
  readonly ack: 'auto' | 'manual';
}

/** What a form shows of a client that was told this before. */
export function connectDraft(id: string, given: ConnectOptions): ConnectDraft {
  const { will } = given;
  return {
    version: given.version ?? '5.0',
    clientIdentifier: given.client_identifier ?? id,
    cleanStart: given.clean_start ?? true,
    keepAlive: numberText(given.keep_alive_s, '60'),
    sessionExpiry: numberText(given.session_expiry_s, '0'),
    receiveMaximum: numberText(given.receive_maximum, String(U16_MAX)),
    maximumPacketSize: numberText(given.maximum_packet_size),
    topicAliasMaximum: numberText(given.topic_alias_maximum, '0'),
    requestResponse: given.request_response_information ?? false,
    requestProblem: given.request_problem_information ?? true,
    user: given.user ?? [],
    userName: given.user_name ?? '',
    password: given.password ?? '',
    hasWill: will !== null && will !== undefined,
    will: {
      ...EMPTY_PUBLISH,
      topic: will?.topic ?? `home/${id}/will`,
      payload: will?.payload ?? '',
      qos: String(will?.qos ?? 0) as '0' | '1' | '2',
      retain: will?.retain ?? false,
      expiry: numberText(will?.expiry_s),
      contentType: will?.content_type ?? '',
      responseTopic: will?.response_topic ?? '',
      correlation: will?.correlation ?? '',
      format: will?.payload_is_text === undefined ? 'none' : will.payload_is_text ? 'text' : 'bytes',
      user: will?.user ?? [],
    },
    willDelay: numberText(will?.delay_s, '0'),
    reconnect: numberText(given.reconnect_s),
    ack: given.ack ?? 'auto',
  };
}

export function connectOf(draft: ConnectDraft): Made<ConnectOptions> {
  const read = new Reader();
  const v5 = draft.version === '5.0';
  const will = draft.hasWill ? messageOf(draft.will, v5) : null;
  if (will && 'problems' in will) {
    for (const [field, problem] of Object.entries(will.problems)) read.problems[`will.${field}`] = problem;
  }
  const delay_s = read.number('willDelay', draft.willDelay, 0, U32_MAX) ?? 0;
  const options = said<ConnectOptions>({
    version: draft.version,
    client_identifier: read.text('clientIdentifier', draft.clientIdentifier),
    clean_start: draft.cleanStart,
    keep_alive_s: read.number('keepAlive', draft.keepAlive, 0, U16_MAX) ?? 0,
    reconnect_s: read.number('reconnect', draft.reconnect, 0, U16_MAX) ?? null,
    ack: draft.ack,
    user_name: filled(read.text('userName', draft.userName)) ?? null,
    password: filled(read.text('password', draft.password)) ?? null,
    will: will && 'value' in will ? { ...will.value, ...(v5 && delay_s > 0 ? { delay_s } : {}) } : null,
  });
  if (!v5) return read.made(options);
  return read.made(
    said<ConnectOptions>({
      ...options,
      session_expiry_s: read.number('sessionExpiry', draft.sessionExpiry, 0, U32_MAX) ?? 0,
      receive_maximum: read.number('receiveMaximum', draft.receiveMaximum, 1, U16_MAX) ?? U16_MAX,
      maximum_packet_size: read.number('maximumPacketSize', draft.maximumPacketSize, 1, U32_MAX) ?? null,
      topic_alias_maximum: read.number('topicAliasMaximum', draft.topicAliasMaximum, 0, U16_MAX) ?? 0,
      request_response_information: draft.requestResponse ? true : null,
      request_problem_information: draft.requestProblem ? null : false,
      user: pairs(draft.user) ?? [],
    }),
  );
}

export interface LinkDraft {
  readonly latency: string;
  readonly jitter: string;
  readonly bandwidth: string;
}

const MS_MAX = 600_000;

export function linkOf(who: string, draft: LinkDraft): Made<StageCommand> {
  const read = new Reader();
  return read.made<StageCommand>({
    do: 'link',
    who,
    latency_ms: read.number('latency', draft.latency, 0, MS_MAX) ?? 0,
    jitter_ms: read.number('jitter', draft.jitter, 0, MS_MAX) ?? 0,
    bytes_per_s: read.number('bandwidth', draft.bandwidth, 0, U32_MAX) ?? 0,
  });
}

export function rawOf(who: string, text: string): Made<StageCommand> {
  const hex = text.replace(/\s+/g, '').toLowerCase();
  if (hex === '') return { problems: { hex: { is: 'required' } } };
  if (!/^(?:[0-9a-f]{2})+$/.test(hex)) return { problems: { hex: { is: 'hex' } } };
  return { value: { do: 'raw', who, hex } };
}

export interface AddDraft {
  readonly name: string;
  readonly icon: NonNullable<ClientOptions['icon']>;
}

/** The id is the name without what commands could stumble over; it must be new. */
export function addOf({ name, icon }: AddDraft, taken: readonly string[]): Made<ClientOptions> {
  const id = name.trim();
  if (id === '') return { problems: { name: { is: 'required' } } };
  if (id === 'broker' || taken.includes(id)) return { problems: { name: { is: 'taken', name: id } } };
  return { value: { id, name: id, icon, link: { latency_ms: 300 } } };
}
