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

/** One transport, as the engine sees it. */
export interface Link {
  /** Takes bytes that the broker sends: a copy of its own. */
  deliver(bytes: Uint8Array<ArrayBuffer>): void;
  /** The broker is done with it; `why` is the core's close reason. Nothing is delivered afterwards. */
  close(why: unknown): void;
}

/** Where the time comes from and how the engine waits. */
export interface Clock {
  /** Microseconds since 1970; never goes back. */
  now(): number;
  /** Calls back at that time, once; replaces an earlier wish. `undefined` takes it back. */
  wake(at: number | undefined, call: () => void): void;
}

/** What the engine hands on beside bytes. */
export interface Listener {
  /** Events, traces, questions, replies: as the core says them. */
  output(output: Output): void;
  /** Records of one turn, to be stored in this order; `stored` or `storeFailed` answers. */
  append(lsns: number[], records: Uint8Array<ArrayBuffer>[]): void;
}

/** An output of the core other than bytes and records: an enum's variant as `{ Name: fields }`. */
export type Output = { [name: string]: unknown };

interface Slot {
  generation: number;
  link: Link | undefined;
  /** Bytes that may be given out before the receiver has taken some. */
  credit: number;
  /** Whether the broker has more for it than its credit allows. */
  hungry: boolean;
  /** Bytes given out in this turn; the core hears of them in the next. */
  carried: number;
  /** Input that came while the broker did not want any. */
  unread: Uint8Array[] | undefined;
  closing: unknown;
}

/** Names a link to the engine: a slot that is used again, and a generation that is not. */
export interface LinkId {
  readonly slot: number;
  readonly generation: number;
}

export class Engine {
  #core: Core;
  #clock: Clock;
  #listener: Listener;
  #schedule: (task: () => void) => void;
  #slots: Slot[] = [];
  #free: number[] = [];
  #carried: number[] = [];
  #begun = false;
  #scheduled = false;
  #closed = false;

  constructor(core: Core, clock: Clock, listener: Listener, schedule: (task: () => void) => void) {
    this.#core = core;
    this.#clock = clock;
    this.#listener = listener;
    this.#schedule = schedule;
  }

  /** Opens a link. `credit` is how many bytes may be under way to it. */
  open(link: Link, local: boolean, address: string, credit: number): LinkId {
    const slot = this.#free.pop() ?? this.#slots.length;
    const generation = (this.#slots[slot]?.generation ?? -1) + 1;
    this.#slots[slot] = {
      generation,
      link,
      credit,
      hungry: false,
      carried: 0,
      unread: undefined,
      closing: undefined,
    };
    this.#begin().opened(slot, generation, local, address);
    return { slot, generation };
  }

  /** Bytes came from a link; they are copied at once. */
  received({ slot, generation }: LinkId, bytes: Uint8Array): void {
    const state = this.#slot(slot, generation);
    if (state === undefined || state.closing !== undefined || bytes.length === 0) return;
    if (state.unread !== undefined) state.unread.push(bytes.slice());
    else this.#begin().received(slot, generation, bytes);
  }

  /** The receiver took this many bytes and can take as many more. */
  taken({ slot, generation }: LinkId, bytes: number): void {
    const state = this.#slot(slot, generation);
    if (state === undefined) return;
    state.credit += bytes;
    if (state.hungry) this.#soon();
  }

  /** A link is gone. */
  gone({ slot, generation }: LinkId): void {
    const state = this.#slot(slot, generation);
    if (state !== undefined) this.#drop(slot, state);
  }

  /** Any other input, as the core knows it. */
  input(input: unknown): void {
    this.#begin().handle(input);
  }

  /** Ends the turn now, and those that are due at once. */
  run(): void {
    for (;;) {
      this.#turn();
      const due = this.#core.deadline();
      if (!this.#begun && (due === undefined || due > this.#clock.now())) {
        this.#clock.wake(due, () => this.#soon());
        return;
      }
    }
  }

  /** The core itself, for what only looks. */
  get core(): Core {
    return this.#core;
  }

  /** Forgets everything; links are not told. */
  close(): void {
    this.#closed = true;
    this.#clock.wake(undefined, () => {});
    this.#core.free();
  }

  #slot(slot: number, generation: number): Slot | undefined {
    const state = this.#slots[slot];
    return state?.link !== undefined && state.generation === generation ? state : undefined;
  }

  /** A turn is open from its first input to its end. */
  #begin(): Core {
    if (!this.#begun) {
      this.#begun = true;
      this.#core.begin(this.#clock.now());
      for (const slot of this.#carried.splice(0)) {
        const state = this.#slots[slot] as Slot;
        if (state.link !== undefined && state.carried > 0) this.#core.sent(slot, state.generation, state.carried);
        state.carried = 0;
      }
      this.#soon();
    }
    return this.#core;
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
    const core = this.#begin();
    const ready = core.end();
    this.#begun = false;
    const lsns: number[] = [];
    const records: Uint8Array<ArrayBuffer>[] = [];
    const outputs: Output[] = [];
    for (let output = core.poll(); output !== undefined; output = core.poll()) {
      if (output.append !== undefined) {
        lsns.push(output.lsn);
        records.push(output.append);
      } else {
        outputs.push(output);
      }
    }
    if (records.length > 0) this.#listener.append(lsns, records);
    for (const output of outputs) this.#output(output);
    for (let i = 0; i < ready.length; i += 2) this.#carry(ready[i] as number, ready[i + 1] as number);
    for (const [slot, state] of this.#slots.entries()) if (state.hungry && state.credit > 0) this.#carry(slot, state.generation);
  }

  #output(output: Output): void {
    const read = output.Read as { conn: LinkId; on: boolean } | undefined;
    if (read !== undefined) {
      const state = this.#slot(read.conn.slot, read.conn.generation);
      if (state === undefined) return;
      const unread = state.unread ?? [];
      state.unread = read.on ? undefined : unread;
      if (read.on) for (const bytes of unread) this.#begin().received(read.conn.slot, state.generation, bytes);
      return;
    }
    const close = output.Close as { conn: LinkId; why: unknown } | undefined;
    if (close !== undefined) {
      const state = this.#slot(close.conn.slot, close.conn.generation);
      if (state !== undefined) state.closing = close.why;
      return;
    }
    this.#listener.output(output);
  }

  #carry(slot: number, generation: number): void {
    const state = this.#slot(slot, generation);
    if (state === undefined || state.carried > 0) return;
    const bytes = this.#core.outgoing(slot, generation, Math.max(state.credit, 0));
    state.hungry = bytes.length === state.credit;
    if (bytes.length === 0) return;
    state.credit -= bytes.length;
    state.carried = bytes.length;
    this.#carried.push(slot);
    state.link?.deliver(bytes as Uint8Array<ArrayBuffer>);
  }

  #drop(slot: number, state: Slot): void {
    state.link = undefined;
    this.#free.push(slot);
    this.#begin().closed(slot, state.generation);
  }
}
