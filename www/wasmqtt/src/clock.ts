/**
 * Time for the engine, real or moved by hand. The core's clock never goes back, and it never jumps without a reason: a
 * page that was frozen or a machine that slept has made everybody late, and the clock says so, since then no client is
 * to be blamed for its silence.
 */
import type { Clock } from './engine.js';

/** Where the real clock reads the time and how it waits; tests bring their own. */
export interface ClockSource {
  /** Milliseconds since 1970, as the system says; may go back. */
  wall(): number;
  /** Milliseconds since some beginning; never goes back, and may stand still while the machine sleeps. */
  steady(): number;
  setTimeout(call: () => void, ms: number): unknown;
  clearTimeout(timeout: unknown): void;
}

const system: ClockSource = {
  wall: () => Date.now(),
  steady: () => performance.now(),
  setTimeout: (call, ms) => setTimeout(call, ms),
  clearTimeout: (timeout) => clearTimeout(timeout as ReturnType<typeof setTimeout>),
};

/** Longest wait between two looks at the time: what one look finds late can't be older than that. */
const LOOK_MS = 10_000;
/** A look that comes this much later than it was due: nobody here was awake, and hidden tabs, which browsers wake once a
 * minute, are no different. */
const GAP_MS = 5_000;

/** The time of the machine that this runs on. */
export class RealClock implements Clock {
  #source: ClockSource;
  /** What the steady clock lacks to the wall clock: where that stood at first, and sleeps that only it counted. */
  #offsetMs: number;
  #last = 0;
  #slept = 0;
  #timeout: unknown;
  /** When the next look is due by the steady clock, in milliseconds; Infinity if none is. */
  #due = Infinity;
  #call: () => void = () => {};

  constructor(source: ClockSource = system) {
    this.#source = source;
    this.#offsetMs = source.wall() - source.steady();
  }

  /** Looks at both clocks, since after a sleep anything may be the first to wake up, a message as well as a timer. */
  now(): number {
    const steady = this.#source.steady();
    // The wall clock went on without the steady one: the machine slept, or somebody set the wall clock forward.
    const missed = this.#source.wall() - steady - this.#offsetMs;
    if (missed >= GAP_MS) {
      this.#offsetMs += missed;
      this.#slept += missed;
    }
    const late = steady - this.#due;
    if (late >= GAP_MS) {
      this.#due = Infinity;
      this.#slept += late;
    }
    this.#last = Math.max(this.#last, Math.floor((steady + this.#offsetMs) * 1000));
    return this.#last;
  }

  slept(): number {
    const slept = Math.round(this.#slept * 1000);
    this.#slept = 0;
    return slept;
  }

  reach(at: number): void {
    this.#offsetMs += Math.max(0, at - this.now()) / 1000;
  }

  wake(at: number | undefined, call: () => void): void {
    this.#call = call;
    const due = at === undefined ? Infinity : this.#source.steady() + Math.min(Math.max((at - this.now()) / 1000, 0), LOOK_MS);
    // A look that comes too early costs less than a new timer for each turn.
    if (at !== undefined && this.#timeout !== undefined && this.#due <= due) return;
    if (this.#timeout !== undefined) this.#source.clearTimeout(this.#timeout);
    this.#timeout = undefined;
    this.#due = due;
    if (due === Infinity) return;
    const ms = Math.max(Math.ceil(due - this.#source.steady()), 0);
    this.#timeout = this.#source.setTimeout(() => {
      this.#timeout = undefined;
      this.now();
      this.#due = Infinity;
      this.#call();
    }, ms);
  }
}

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #now: number;
  #at: number | undefined;
  #call: (() => void) | undefined;

  /** Begins at this many microseconds since 1970. */
  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  slept(): number {
    return 0;
  }

  reach(at: number): void {
    this.#now = at;
  }

  wake(at: number | undefined, call: () => void): void {
    this.#at = at;
    this.#call = call;
  }

  /** Moves to the next thing that is due, at most to this time; gives whether there was one. */
  step(until: number): boolean {
    if (this.#at === undefined || this.#at > until) {
      this.#now = Math.max(this.#now, until);
      return false;
    }
    this.#now = Math.max(this.#now, this.#at);
    this.#at = undefined;
    this.#call?.();
    return true;
  }
}
