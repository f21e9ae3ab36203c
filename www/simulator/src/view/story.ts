// What the views draw, read out of the log once: every packet's flight from when it was sent until it arrived or was
// lost, exchanges from a PUBLISH to its last acknowledgement, Sessions through disconnections, and the marks of links and
// clients. The log only grows, so a story is continued from where it stood; it is kept for as long as its log is.

import type { Entry, Sent, SentEntry } from '../stage/types';

export const NOT_YET = Number.POSITIVE_INFINITY;

/** A packet on its way. */
export interface Flight {
  /** The entry with which it was sent, which is also the packet's number. */
  readonly n: number;
  readonly at: number;
  readonly sent: Sent;
  /** The entry with which it arrived or was lost; `NOT_YET`. */
  end: number;
  endAt: number;
  fate: 'on_its_way' | 'delivered' | 'lost';
  howFar: number;
  /** A Will: the broker published it on a client's behalf. */
  readonly will: boolean;
  /** Sent before by the same hands: DUP. */
  readonly again: boolean;
}

/** From a PUBLISH to its PUBACK or PUBCOMP, on the side of its sender. */
export interface Exchange {
  readonly who: string;
  readonly sender: 'client' | 'broker';
  readonly id: number;
  readonly qos: 1 | 2;
  readonly from: number;
  to: number;
  /** Finished, or cut short by the end of its Session or connection. */
  done: boolean;
  /** Which of several at the same time, from 0. */
  readonly lane: number;
}

export type SpanKind = 'link' | 'session' | 'frozen' | 'half_open';

/** A state that lasts: entries from one to another. */
export interface Span {
  readonly kind: SpanKind;
  readonly who: string;
  readonly from: number;
  to: number;
  /** Of a Session: the client was connected in between these entries. */
  readonly connected: { readonly from: number; to: number }[];
}

export type MarkKind =
  | 'cut'
  | 'learned'
  | 'closed'
  | 'half_open'
  | 'heal'
  | 'freeze'
  | 'thaw'
  | 'session_ends'
  | 'refused'
  | 'timer'
  | 'told';

/** Something at one moment, on one lifeline. */
export interface Mark {
  readonly n: number;
  readonly who: string;
  readonly kind: MarkKind;
  /** On the broker's end. */
  readonly atBroker: boolean;
}

const BLOCK = 128;
const LONG_MICROS = 2_000_000;

export class Story {
  readonly flights: Flight[] = [];
  readonly exchanges: Exchange[] = [];
  readonly marks: Mark[] = [];
  /** Entries with which a client's user got a message. */
  readonly told: number[] = [];
  /** Decisions with which the broker accepted a message. */
  readonly published: number[] = [];
  /** Entries at which the broker began anew. */
  readonly restarts: number[] = [];
  /** By client, in the order of their beginning. */
  readonly spans = new Map<string, Span[]>();
  /** The flight, by the entry with which it was sent. */
  readonly byPacket = new Map<number, Flight>();
  /** The flight, by any entry about it. */
  readonly byEntry = new Map<number, Flight>();
  /** How many entries it tells. */
  size = 0;

  readonly #open = new Set<Flight>();
  readonly #long: Flight[] = [];
  /** Clients in the order in which they were seen first. */
  readonly seen = new Set<string>();
  readonly #blocks: Flight[][] = [];
  readonly #exchangeBlocks: Exchange[][] = [];
  readonly #markBlocks: Mark[][] = [];
  readonly #openExchanges = new Map<string, Exchange>();
  readonly #openSpans = new Map<string, Span>();
  /** Topics of Wills, by the entry that led to their publication. */
  readonly #wills = new Map<number, Set<string>>();

  /** Tells on, up to the end of the log. */
  tell(entries: readonly Entry[]): this {
    for (; this.size < entries.length; this.size++) {
      const entry = entries[this.size];
      if (entry) this.#one(entry, entries);
    }
    return this;
  }

  /** Packets that are on their way somewhere between two entries. */
  flightsBetween(from: number, to: number): Flight[] {
    return between(this.#blocks, this.#open, from, to, ({ n, end }) => n <= to && end >= from);
  }

  exchangesBetween(from: number, to: number): Exchange[] {
    const open = this.#openExchanges.values();
    return between(this.#exchangeBlocks, open, from, to, (it) => it.from <= to && it.to >= from);
  }

  marksBetween(from: number, to: number): Mark[] {
    return between(this.#markBlocks, [], from, to, ({ n }) => n >= from && n <= to);
  }

  /** Longer than this is a long flight, in microseconds. */
  readonly longMicros = LONG_MICROS;

  isLong(flight: Flight): boolean {
    return flight.endAt - flight.at > LONG_MICROS;
  }

  /** The few packets that were on their way for long, and those that have not arrived yet. */
  *longOrOpen(): Iterable<Flight> {
    yield* this.#long;
    yield* this.#open;
  }

  /** The last flight that was sent before an entry: its place among all. */
  flightBefore(entry: number): number {
    let [low, high] = [0, this.flights.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.flights[middle]?.n ?? 0) < entry) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #one(entry: Entry, entries: readonly Entry[]): void {
    const { n } = entry;
    if ('sent' in entry) this.#sent(entry);
    else if ('delivered' in entry) this.#arrived(entry.delivered.packet, entry, 'delivered', 1);
    else if ('lost' in entry) this.#arrived(entry.lost.packet, entry, 'lost', entry.lost.how_far);
    else if ('opened' in entry) this.#begin('link', entry.opened.who, n);
    else if ('broke' in entry) {
      this.#finish('link', entry.broke.who, n);
      this.#mark({ n, who: entry.broke.who, kind: 'cut', atBroker: false });
    } else if ('learned' in entry) {
      const { who, end } = entry.learned;
      this.#mark({ n, who, kind: 'learned', atBroker: end === 'broker' });
      if (end === 'client') this.#finish('link', who, n);
    } else if ('closed' in entry) {
      const { who, end } = entry.closed;
      this.#mark({ n, who, kind: 'closed', atBroker: end === 'broker' });
      if (end === 'client') this.#finish('link', who, n);
    } else if ('decision' in entry) {
      const { is, topic } = entry.decision;
      if (is === 'published') this.published.push(n);
      const cause = entry.cause === undefined ? undefined : entries[entry.cause];
      const carried = cause && 'delivered' in cause && cause.delivered.type === 'PUBLISH';
      if (is === 'published' && topic && !topic.startsWith('$') && entry.cause !== undefined && !carried) {
        const topics = this.#wills.get(entry.cause) ?? new Set();
        this.#wills.set(entry.cause, topics.add(topic));
      }
    } else if ('event' in entry) this.#event(entry.n, entry.event);
    else if ('told' in entry) {
      this.told.push(n);
      this.#mark({ n, who: entry.told.who, kind: 'told', atBroker: false });
    } else if ('timer' in entry) {
      const { what, who } = entry.timer;
      const atBroker = what !== 'ping' && what !== 'no_pingresp' && what !== 'reconnect';
      if (who) this.#mark({ n, who, kind: 'timer', atBroker });
    } else if ('restarted' in entry) {
      this.restarts.push(n);
      if (!entry.restarted.storage) for (const who of this.seen) this.#finish('session', who, n);
    } else if ('command' in entry) this.#command(entry.n, entry.command);
  }

  #command(n: number, command: { readonly do: string; readonly who?: string }): void {
    const { who } = command;
    if (!who) return;
    if (command.do === 'freeze' || command.do === 'half_open') {
      this.#begin(command.do === 'freeze' ? 'frozen' : 'half_open', who, n);
      this.#mark({ n, who, kind: command.do, atBroker: false });
    } else if (command.do === 'thaw' || command.do === 'heal') {
      this.#finish(command.do === 'thaw' ? 'frozen' : 'half_open', who, n);
      this.#mark({ n, who, kind: command.do, atBroker: false });
    } else if (command.do === 'remove_client') {
      for (const kind of ['link', 'frozen', 'half_open'] as const) this.#finish(kind, who, n);
    }
  }

  #event(n: number, event: { is: string; who?: string; session_present?: boolean; session_kept?: boolean }): void {
    const { who } = event;
    if (!who) return;
    if (event.is === 'connected') {
      const open = this.#openSpans.get(`session ${who}`);
      if (open && event.session_present) open.connected.push({ from: n, to: NOT_YET });
      else {
        this.#finish('session', who, n);
        this.#begin('session', who, n).connected.push({ from: n, to: NOT_YET });
        this.#interrupt(who, n);
      }
    } else if (event.is === 'disconnected') {
      const last = this.#openSpans.get(`session ${who}`)?.connected.at(-1);
      if (last && last.to === NOT_YET) last.to = n;
      if (event.session_kept === false) this.#finish('session', who, n);
    } else if (event.is === 'session_ended') {
      this.#finish('session', who, n);
      this.#mark({ n, who, kind: 'session_ends', atBroker: false });
    } else if (event.is === 'refused') this.#mark({ n, who, kind: 'refused', atBroker: true });
  }

  #sent(entry: SentEntry): void {
    const { n, at, sent, cause } = entry;
    this.seen.add(sent.who);
    const will =
      sent.type === 'PUBLISH' &&
      sent.toward === 'client' &&
      cause !== undefined &&
      sent.topic !== undefined &&
      this.#wills.get(cause)?.has(sent.topic) === true;
    const flight: Flight = {
      n,
      at,
      sent,
      end: NOT_YET,
      endAt: NOT_YET,
      fate: 'on_its_way',
      howFar: 0,
      will,
      again: sent.dup === true,
    };
    this.flights.push(flight);
    this.byPacket.set(n, flight);
    this.byEntry.set(n, flight);
    this.#open.add(flight);
    put(this.#blocks, flight, n, n);
    if (sent.type === 'PUBLISH' && sent.id !== undefined && (sent.qos === 1 || sent.qos === 2)) {
      this.#exchange(sent, n, sent.id, sent.qos);
    }
  }

  #exchange(sent: Sent, n: number, id: number, qos: 1 | 2): void {
    const sender = sent.toward === 'broker' ? 'client' : 'broker';
    const key = `${sender} ${sent.who} ${id}`;
    // Sent again, with DUP: the same exchange goes on.
    if (this.#openExchanges.has(key)) return;
    const taken = new Set<number>();
    for (const other of this.#openExchanges.values()) {
      if (other.who === sent.who && other.sender === sender) taken.add(other.lane);
    }
    let lane = 0;
    while (taken.has(lane)) lane++;
    const exchange: Exchange = { who: sent.who, sender, id, qos, from: n, to: NOT_YET, done: false, lane };
    this.exchanges.push(exchange);
    this.#openExchanges.set(key, exchange);
    put(this.#exchangeBlocks, exchange, n, n);
  }

  #arrived(packet: number, entry: Entry, fate: 'delivered' | 'lost', howFar: number): void {
    const flight = this.byPacket.get(packet);
    if (!flight) return;
    Object.assign(flight, { end: entry.n, endAt: entry.at, fate, howFar });
    this.byEntry.set(entry.n, flight);
    this.#open.delete(flight);
    if (this.isLong(flight)) this.#long.push(flight);
    put(this.#blocks, flight, flight.n, entry.n, true);
    const { type, id, toward, who } = flight.sent;
    if (fate !== 'delivered' || id === undefined || (type !== 'PUBACK' && type !== 'PUBCOMP')) return;
    this.#finishExchange(`${toward === 'client' ? 'client' : 'broker'} ${who} ${id}`, entry.n, true);
  }

  #finishExchange(key: string, n: number, done: boolean): void {
    const exchange = this.#openExchanges.get(key);
    if (!exchange) return;
    exchange.to = n;
    exchange.done = done;
    this.#openExchanges.delete(key);
    put(this.#exchangeBlocks, exchange, exchange.from, n, true);
  }

  /** What was open ends unfinished when its Session does; a connection's end alone leaves it open. */
  #interrupt(who: string, n: number): void {
    for (const [key, exchange] of [...this.#openExchanges]) {
      if (exchange.who === who) this.#finishExchange(key, n, false);
    }
  }

  #begin(kind: SpanKind, who: string, n: number): Span {
    this.seen.add(who);
    const known = this.#openSpans.get(`${kind} ${who}`);
    if (known && kind !== 'session') return known;
    const span: Span = { kind, who, from: n, to: NOT_YET, connected: [] };
    const all = this.spans.get(who) ?? [];
    this.spans.set(who, all);
    all.push(span);
    this.#openSpans.set(`${kind} ${who}`, span);
    return span;
  }

  #finish(kind: SpanKind, who: string, n: number): void {
    const span = this.#openSpans.get(`${kind} ${who}`);
    if (!span) return;
    span.to = n;
    const last = span.connected.at(-1);
    if (last && last.to === NOT_YET) last.to = n;
    this.#openSpans.delete(`${kind} ${who}`);
    if (kind === 'session') this.#interrupt(who, n);
  }

  #mark(mark: Mark): void {
    this.seen.add(mark.who);
    this.marks.push(mark);
    put(this.#markBlocks, mark, mark.n, mark.n);
  }
}

/** Into every block from one entry's to another's; `behind`: it lies in the first one already. */
function put<T>(blocks: T[][], item: T, from: number, to: number, behind = false): void {
  for (let block = Math.floor(from / BLOCK) + (behind ? 1 : 0); block <= Math.floor(to / BLOCK); block++) {
    while (blocks.length <= block) blocks.push([]);
    blocks[block]?.push(item);
  }
}

function between<T>(blocks: T[][], open: Iterable<T>, from: number, to: number, wanted: (item: T) => boolean): T[] {
  const found = new Set<T>();
  for (let block = Math.floor(Math.max(from, 0) / BLOCK); block <= Math.floor(to / BLOCK); block++) {
    for (const item of blocks[block] ?? []) if (wanted(item)) found.add(item);
  }
  for (const item of open) if (wanted(item)) found.add(item);
  return [...found];
}

const stories = new WeakMap<readonly Entry[], Story>();

/** The story of a log, up to its end. */
export function storyOf(entries: readonly Entry[]): Story {
  let story = stories.get(entries);
  if (!story || story.size > entries.length) {
    story = new Story();
    stories.set(entries, story);
  }
  return story.tell(entries);
}
