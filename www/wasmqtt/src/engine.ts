/**
 * Takes turns with the core. The core is a value: it does nothing by itself and knows no clock. The engine hands it
 * what happened (a transport opened, bytes arrived), ends the turn in a task of its own, so that what comes together is
 * answered together, and then carries out what the core wants: bytes to deliver, transports to close, records to
 * store. It knows no MQTT.
 *
 * A link is one transport. Bytes for it are given out against credit: what a receiver has not taken yet stays in the
 * core, whose limits say what happens to a slow reader.
 */
import type { Core } from '../generated/wasmqtt.js';
import { handle, poll } from './core.js';

/** One transport, as the engine sees it. */
export interface Link {
  /** Takes bytes that the broker sends: a copy of its own. May call the engine. */
  deliver(bytes: Uint8Array<ArrayBuffer>): void;
  /** The broker is done with it and everything was delivered that could be. */
  close(): void;
  /** The broker is gone, or another one that knows nothing of this link. */
  cut?(): void;
  /** The broker reads it again, and nothing is unread. */
  resumed?(): void;
}

/** Where the time comes from and how the engine waits. */
export interface Clock {
  /** Microseconds since 1970; never goes back. */
  now(): number;
  /** For how many microseconds everything stood still that this was not asked about yet; `now` notices. */
  slept(): number;
  /** A snapshot of that moment, in microseconds since 1970, becomes the present. */
  reach(at: number): void;
  /** Calls back at that time or earlier, once; replaces an earlier wish. `undefined` takes it back. */
  wake(at: number | undefined, call: () => void): void;
}

/** An output of the core, other than bytes and records: an enum's variant as `{ Name: fields }`. */
export type Output = { [variant: string]: unknown };

/** What the engine hands on beside bytes. */
export interface Listener {
  /** Events, traces, questions, replies: as the core says them. */
  output(output: Output): void;
  /** Records of one turn, to be stored in this order. */
  append(lsns: number[], records: Uint8Array<ArrayBuffer>[]): void;
}

/** Sees every byte that passes, while somebody wants to. */
export interface Tap {
  /** Bytes of a client reach the broker, or of the broker leave for a client. */
  bytes(link: LinkId, fromClient: boolean, bytes: Uint8Array): void;
  /** A link is gone. */
  gone(link: LinkId): void;
}

/** Names a link to the engine: a slot that is used again, and a generation that is not. */
export interface LinkId {
  readonly slot: number;
  readonly generation: number;
}

interface Slot {
  id: LinkId;
  link: Link | undefined;
  /** Bytes that may be given out before the receiver has taken some. */
  credit: number;
  /** Bytes given out in this turn; the core hears of them in the next. */
  carried: number;
  /** Input that came while the broker did not want any, and how many bytes. */
  unread: Uint8Array[] | undefined;
  unreadBytes: number;
  /** When the broker gives up sending, once it wants the link closed. */
  lingerUntil: number | undefined;
}

const vacant = () => ({ carried: 0, unread: undefined, unreadBytes: 0, lingerUntil: undefined });

/** Takes turns with one core. Functions throw an Error once it is closed. */
export class Engine {
  core: Core;
  tap: Tap | undefined;
  #clock: Clock;
  #listener: Listener;
  #schedule: (task: () => void) => void;
  #slots: Slot[] = [];
  #free: number[] = [];
  /** Links with bytes that were given out in this turn. */
  #carried: Slot[] = [];
  /** Links with more to send than their credit allowed. */
  #hungry = new Set<Slot>();
  /** Links that the broker wants closed. */
  #closing = new Set<Slot>();
  #begun = false;
  #scheduled = false;
  #closed = false;

  constructor(core: Core, clock: Clock, listener: Listener, schedule: (task: () => void) => void) {
    this.core = core;
    this.#clock = clock;
    this.#listener = listener;
    this.#schedule = schedule;
  }

  /** Opens a link. `local` is a channel inside the page; `credit` is how many bytes may be under way to it. */
  open(link: Link, local: boolean, address: string, credit: number): LinkId {
    const core = this.#begin();
    const id = this.#take(link, credit);
    core.opened(id.slot, id.generation, local, address);
    return id;
  }

  /** Opens a link that leads to the remote of a bridge, since the core wanted it. */
  dialled(link: Link, Bridge: number, address: string, credit: number): LinkId {
    const core = this.#begin();
    const conn = this.#take(link, credit);
    const peer = { listener: 0, address, transport: { Bridge }, identity: undefined };
    handle(core, { Opened: { conn, peer } });
    return conn;
  }

  #take(link: Link, credit: number): LinkId {
    const slot = this.#free.pop() ?? this.#slots.length;
    const generation = (this.#slots[slot]?.id.generation ?? -1) + 1;
    const id = { slot, generation };
    this.#slots[slot] = { ...vacant(), id, link, credit };
    return id;
  }

  /** Bytes came from a link; they are copied at once. */
  received(id: LinkId, bytes: Uint8Array): void {
    const state = this.#slot(id);
    if (state === undefined || state.lingerUntil !== undefined || bytes.length === 0) return;
    if (state.unread !== undefined) {
      state.unread.push(bytes.slice());
      state.unreadBytes += bytes.length;
      return;
    }
    this.tap?.bytes(id, true, bytes);
    this.#begin().received(id.slot, id.generation, bytes);
  }

  /** How many bytes of a link the broker has not taken yet, because it wants to read no more of them for now. */
  unreadBytes(id: LinkId): number {
    return this.#slot(id)?.unreadBytes ?? 0;
  }

  /** The receiver took this many bytes and can take as many more. */
  taken(id: LinkId, bytes: number): void {
    const state = this.#slot(id);
    if (state === undefined) return;
    state.credit += bytes;
    if (this.#hungry.has(state)) this.#soon();
  }

  /** From now on at most this many bytes may be under way to a link. */
  limit(id: LinkId, credit: number): void {
    const state = this.#slot(id);
    if (state !== undefined) state.credit = Math.min(state.credit, credit);
  }

  /** A link is gone. */
  gone(id: LinkId): void {
    const state = this.#slot(id);
    if (state !== undefined) this.#drop(state);
  }

  /** Any other input, as the core knows it. */
  input(input: unknown): void {
    handle(this.#begin(), input);
  }

  /** Takes a turn now, and those that are due at once. */
  run(): void {
    for (;;) {
      this.#turn();
      if (this.#closed) return;
      const due = this.#due();
      if (!this.#begun && (due === undefined || due > this.#clock.now())) {
        this.#clock.wake(due, () => this.#soon());
        return;
      }
    }
  }

  /** When the next turn is due if nothing else happens, in microseconds since 1970. */
  deadline(): number | undefined {
    return this.#due();
  }

  /** Whether nothing waits for the end of a turn. */
  get idle(): boolean {
    return !this.#scheduled && !this.#begun;
  }

  /** All links that are open. */
  links(): LinkId[] {
    return this.#slots.filter((state) => state.link !== undefined).map((state) => state.id);
  }

  /** Goes on with another core, to which these links were open: they and all links of now are cut. */
  replace(core: Core, links: LinkId[]): void {
    const cut = this.#slots.filter((state) => state.link !== undefined);
    const slots = Math.max(this.#slots.length, ...links.map((id) => id.slot + 1));
    for (const state of cut) this.tap?.gone(state.id);
    this.#begun = false;
    this.#carried = [];
    this.#hungry.clear();
    this.#closing.clear();
    this.core.free();
    this.core = core;
    // Generations go on, so that nothing late hits a newcomer.
    const generation = (slot: number) =>
      Math.max(
        this.#slots[slot]?.id.generation ?? -1,
        ...links.filter((id) => id.slot === slot).map((id) => id.generation),
      );
    this.#slots = Array.from({ length: slots }, (_, slot) => ({
      ...vacant(),
      id: { slot, generation: generation(slot) },
      link: undefined,
      credit: 0,
    }));
    this.#free = this.#slots.map((state) => state.id.slot);
    const begun = this.#begin();
    for (const id of links) begun.closed(id.slot, id.generation);
    for (const state of cut) state.link?.cut?.();
  }

  /** Ends: links that are still open are cut, nothing else is called any more, the core's memory is given back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#clock.wake(undefined, () => {});
    this.core.free();
    for (const state of this.#slots) {
      const link = state.link;
      state.link = undefined;
      link?.cut?.();
    }
  }

  #due(): number | undefined {
    let due = this.core.deadline();
    for (const { lingerUntil } of this.#closing) due = Math.min(due ?? Infinity, lingerUntil ?? Infinity);
    return due;
  }

  #slot({ slot, generation }: LinkId): Slot | undefined {
    const state = this.#slots[slot];
    return state?.link !== undefined && state.id.generation === generation ? state : undefined;
  }

  /** For an input: opens a turn, if none is open, and sees to it that it ends. */
  #begin(): Core {
    this.#open();
    this.#soon();
    return this.core;
  }

  /** A turn is open from its first input to its end. */
  #open(): void {
    if (this.#closed) throw new Error('wasmqtt: this broker is closed');
    if (!this.#begun) {
      this.#begun = true;
      this.core.begin(this.#clock.now());
      const slept_us = this.#clock.slept();
      // Before all else: what comes after a sleep must find nobody late.
      if (slept_us > 0) handle(this.core, { Woke: { slept_us } });
      for (const state of this.#carried.splice(0)) {
        if (state.link !== undefined) this.core.sent(state.id.slot, state.id.generation, state.carried);
        state.carried = 0;
      }
    }
  }

  #soon(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    this.#schedule(() => {
      this.#scheduled = false;
      if (!this.#closed) this.run();
    });
  }

  #turn(): void {
    this.#open();
    const core = this.core;
    const ready = core.end();
    this.#begun = false;
    const lsns: number[] = [];
    const records: Uint8Array<ArrayBuffer>[] = [];
    const outputs: Output[] = [];
    for (let output = poll(core); output !== undefined; output = poll(core)) {
      const append = output.Append as { lsn: number; record: Uint8Array<ArrayBuffer> } | undefined;
      if (append !== undefined) {
        lsns.push(append.lsn);
        records.push(append.record);
      } else if (!this.#steer(output)) {
        outputs.push(output);
      }
    }
    if (records.length > 0) this.#listener.append(lsns, records);
    for (const output of outputs) if (!this.#closed) this.#listener.output(output);
    const hungry = [...this.#hungry].filter((state) => state.credit > 0);
    for (let i = 0; i < ready.length && !this.#closed; i += 2) {
      const state = this.#slot({ slot: ready[i] as number, generation: ready[i + 1] as number });
      if (state !== undefined) this.#carry(state);
    }
    for (const state of hungry) if (!this.#closed && state.link !== undefined) this.#carry(state);
    if (this.#closing.size > 0 && !this.#closed) this.#finish();
  }

  /** Outputs about links; gives whether it was one. */
  #steer(output: Output): boolean {
    const read = output.Read as { conn: LinkId; on: boolean } | undefined;
    if (read !== undefined) {
      const state = this.#slot(read.conn);
      if (state === undefined) return true;
      const unread = state.unread;
      state.unread = read.on ? undefined : (unread ?? []);
      if (read.on) {
        state.unreadBytes = 0;
        for (const bytes of unread ?? []) this.received(state.id, bytes);
        state.link?.resumed?.();
      }
      return true;
    }
    const close = output.Close as { conn: LinkId; linger_until: number } | undefined;
    if (close === undefined) return false;
    const state = this.#slot(close.conn);
    if (state !== undefined) {
      state.lingerUntil = close.linger_until;
      this.#closing.add(state);
    }
    return true;
  }

  /** Gives out what a link's credit allows. */
  #carry(state: Slot): void {
    if (state.carried > 0) return;
    const { slot, generation } = state.id;
    const bytes = this.core.outgoing(
      slot,
      generation,
      Math.min(Math.max(state.credit, 0), 0x7fff_ffff),
    ) as Uint8Array<ArrayBuffer>;
    if (bytes.length === state.credit) this.#hungry.add(state);
    else this.#hungry.delete(state);
    if (bytes.length === 0) return;
    state.credit -= bytes.length;
    state.carried = bytes.length;
    this.#carried.push(state);
    // The core hears of it in the next turn, which there must be.
    this.#soon();
    this.tap?.bytes(state.id, false, bytes);
    state.link?.deliver(bytes);
  }

  /** Closes the links that the broker is done with, once everything was given out or time is up. */
  #finish(): void {
    const now = this.#clock.now();
    for (const state of this.#closing) {
      const late = state.lingerUntil !== undefined && state.lingerUntil <= now;
      if (state.carried > 0 || (this.#hungry.has(state) && !late)) continue;
      const link = state.link;
      this.#drop(state);
      link?.close();
    }
  }

  #drop(state: Slot): void {
    this.tap?.gone(state.id);
    state.link = undefined;
    state.unread = undefined;
    this.#hungry.delete(state);
    this.#closing.delete(state);
    this.#free.push(state.id.slot);
    this.#begin().closed(state.id.slot, state.id.generation);
  }
}
