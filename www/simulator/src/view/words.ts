// An entry of the log as a sentence, in the reader's language: what the Log shows, what a screen reader hears, and the
// name of every shape on the Ladder and the Map.

import type { PacketFacts } from '../i18n/facts';
import type { Command } from '../lessons/stage';
import type { Decision, Entry, Happening, Sent, TimerKind, WhyNot } from '../stage/types';
import type { Person, Words } from './props';

/** The name by which people know a client; a Client Identifier that nobody has stands for itself. */
export function nameOf(who: string, people: readonly Person[]): string {
  let names = namesOf.get(people);
  if (!names) {
    names = new Map(people.map(({ id, name }) => [id, name]));
    namesOf.set(people, names);
  }
  return names.get(who) ?? who;
}

const namesOf = new WeakMap<readonly Person[], ReadonlyMap<string, string>>();

/** What a packet says, as facts for the catalogues. */
export function factsOf(sent: Sent, people: readonly Person[], t: Words): PacketFacts {
  const client = nameOf(sent.who, people);
  const [from, to] = sent.toward === 'broker' ? [client, null] : [null, client];
  return {
    from,
    to,
    // Bytes that are no packet have a name too, where a packet's name stands.
    packet: (sent.type ?? t.view.noPacket) as PacketFacts['packet'],
    ...(sent.topic === undefined ? {} : { topic: sent.topic }),
    ...(sent.payload === undefined ? {} : { payload: sent.payload }),
    ...(sent.qos === undefined ? {} : { qos: sent.qos }),
    ...(sent.id === undefined ? {} : { id: sent.id }),
    ...(sent.dup ? { dup: true } : {}),
    ...(sent.retain ? { retain: true } : {}),
    ...(sent.session_present === undefined ? {} : { sessionPresent: sent.session_present }),
    ...(sent.reason === undefined ? {} : { reason: sent.reason }),
  };
}

/** Topic Filters, or codes, that have no place among the facts. */
function more(sent: Sent, t: Words): string {
  if (sent.filters?.length) return `, ${sent.filters.join(', ')}`;
  if (sent.codes?.length && sent.type === 'SUBACK') {
    return `, ${sent.codes.map((code) => (code <= 2 ? `QoS ${code}` : t.packet.reason(code, sent.type ?? undefined))).join(', ')}`;
  }
  return '';
}

/** Why a connection was closed, refused or limited: the Stage says it in English, with a Reason Code if there is one. */
export function reasonWords(reason: string | undefined, code: number | undefined, t: Words): string {
  const found = code ?? (reason ? Number.parseInt(/\(0x([0-9A-F]{2})\)/.exec(reason)?.[1] ?? '', 16) : Number.NaN);
  const words = reason === undefined ? undefined : t.view.known(reason);
  if (words !== undefined && words !== reason) return words;
  if (!Number.isNaN(found)) return t.view.rule(reason?.replace(/ \(0x..\)$/, '') ?? '') || t.packet.reason(found);
  return reason ?? '';
}

/** The first reason why a client didn't get a message. */
export function whyNotWords(decision: Decision, topic: string, people: readonly Person[], t: Words): string {
  const client = nameOf(decision.who ?? decision.client_identifier ?? '', people);
  const say = decision.why && (t.why.not as Partial<Record<WhyNot, (typeof t.why.not)[WhyNot]>>)[decision.why];
  return say ? say({ client, topic, filter: decision.filter ?? '', level: decision.level ?? 1 }) : t.why.notDelivered;
}

function timerWords(what: TimerKind, who: string, t: Words): string {
  switch (what) {
    case 'keep_alive':
    case 'ping':
    case 'reconnect':
    case 'will_delay':
    case 'session_expiry':
      return t.log.timer[what](who);
    case 'connect_timeout':
    case 'message_expiry':
    case 'no_pingresp':
      return t.view.timer[what](who);
  }
}

/** What a timer is for, as a sentence. */
export function timerSentence(what: TimerKind, who: string | null, people: readonly Person[], t: Words): string {
  return timerWords(what, who === null ? t.broker : nameOf(who, people), t);
}

function decisionWords(decision: Decision, topic: string, people: readonly Person[], t: Words): string {
  const client = nameOf(decision.who ?? decision.client_identifier ?? '', people);
  if (decision.is === 'published') return t.log.published(decision.who === undefined ? null : client, topic);
  if (decision.is === 'not_delivered') return t.log.decidedNot(client, topic, whyNotWords(decision, topic, people, t));
  const facts = {
    client,
    topic,
    filter: decision.filter ?? '',
    qos: decision.qos ?? 0,
    retained: decision.retain === true,
  };
  return decision.how === 'queued' ? t.log.decidedQueued(facts) : t.log.decidedDelivered(facts);
}

function eventWords(event: Happening, people: readonly Person[], t: Words): string {
  const client = nameOf(event.who ?? event.client_identifier ?? '', people);
  const why = reasonWords(event.why, event.reason, t);
  switch (event.is) {
    case 'connected':
      return t.log.connected(client, event.session_present === true);
    case 'refused':
      return t.log.refusedConnection(client, why);
    case 'disconnected':
      return t.log.disconnected(client, event.session_kept === true);
    case 'dropping':
      return t.log.dropping(client, t.view.dropped(event.why ?? ''));
    case 'limit_reached':
      return t.log.limit(why);
    case 'session_ended':
      return (t.log.sessionEnded[event.why as 'expired'] ?? t.log.sessionEnded.expired)(client);
  }
}

/** The topic of a message, which only the decision that published it names. */
export function topicOf(entry: Entry, entries: readonly Entry[]): string {
  if (!('decision' in entry)) return '';
  if (entry.decision.topic !== undefined) return entry.decision.topic;
  const { publication } = entry.decision;
  for (let n = entry.n; n >= 0; n--) {
    const other = entries[n];
    if (!other || 'restarted' in other) break;
    if ('decision' in other && other.decision.is === 'published' && other.decision.publication === publication) {
      return other.decision.topic ?? '';
    }
  }
  return '';
}

function refusalWords(why: string, who: string, t: Words): string {
  if (/ is not connected/.test(why)) return t.log.refused.not_connected(who);
  if (/ is connected already/.test(why)) return t.log.refused.connected(who);
  if (/waits for 65,535/.test(why)) return t.log.refused.no_identifier(who);
  return t.log.refused.unknown(who);
}

/** An entry of the log in words. */
export function sentence(entry: Entry, entries: readonly Entry[], people: readonly Person[], t: Words): string {
  const packet = (n: number): Sent | undefined => {
    const found = entries[n];
    return found && 'sent' in found ? found.sent : undefined;
  };
  if ('sent' in entry) return t.log.sent(factsOf(entry.sent, people, t)) + more(entry.sent, t);
  if ('delivered' in entry) {
    const sent = packet(entry.delivered.packet);
    return sent ? t.log.delivered(factsOf(sent, people, t)) + more(sent, t) : '';
  }
  if ('lost' in entry) {
    const sent = packet(entry.lost.packet);
    return sent ? t.log.lost(factsOf(sent, people, t), Math.round(entry.lost.how_far * 100)) : '';
  }
  if ('command' in entry) {
    const { command } = entry;
    const who = 'who' in command ? nameOf(command.who, people) : command.do === 'add_client' ? command.client.id : '';
    // One signature for all: the name of the command picks the function that takes it.
    const say = t.log.commands[command.do] as (who: string, command: Command) => string;
    return say(nameOf(who, people), { qos: 0, payload: '', ...command } as Command);
  }
  if ('refused' in entry) {
    const cause = entry.cause === undefined ? undefined : entries[entry.cause];
    const who = cause && 'command' in cause && 'who' in cause.command ? cause.command.who : '';
    return refusalWords(entry.refused.why, nameOf(who, people), t);
  }
  if ('opened' in entry) return t.log.opened(nameOf(entry.opened.who, people));
  if ('broke' in entry) return t.log.broke(nameOf(entry.broke.who, people));
  if ('learned' in entry) return t.log.learned(nameOf(entry.learned.who, people), entry.learned.end);
  if ('closed' in entry) {
    const { who, end, reason } = entry.closed;
    return t.log.closed(nameOf(who, people), end, reasonWords(reason, undefined, t));
  }
  if ('decision' in entry) return decisionWords(entry.decision, topicOf(entry, entries), people, t);
  if ('event' in entry) return eventWords(entry.event, people, t);
  if ('told' in entry) {
    const { who, topic, payload, qos, retain, dup } = entry.told;
    return t.log.told(nameOf(who, people), topic, payload, { qos, retain, dup });
  }
  if ('timer' in entry) return timerSentence(entry.timer.what, entry.timer.who ?? null, people, t);
  return t.log.restarted(entry.restarted.storage);
}
