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

/** Longest wait between two looks at the time: a gap is noticed when a look comes much later than it was due. */
const LOOK_MS = 10_000;
/** A look that comes this much later than it was due: nobody here was awake, and hidden tabs, which browsers wake once a
 * minute, are no different. */
const GAP_MS = 5_000;

/** The time of the machine that this runs on. */
export class RealClock implements Clock {
  /** Called when everything stood still for this many microseconds. */
  onwoke: ((sleptUs: number) => void) | undefined;
  #source: ClockSource;
  #offsetMs: number;
  #last = 0;
  #timeout: unknown;
  /** When the next look is due, by both clocks, in milliseconds. */
  #due: { wall: number; steady: number } | undefined;

  constructor(source: ClockSource = system) {
    this.#source = source;
    this.#offsetMs = source.wall() - source.steady();
  }

  now(): number {
    // Microseconds: the steady clock has fractions, and the wall clock decides only where it stood at first and how
    // long a sleep was.
    this.#last = Math.max(this.#last, Math.floor((this.#source.steady() + this.#offsetMs) * 1000));
    return this.#last;
  }

  wake(at: number | undefined, call: () => void): void {
    this.#source.clearTimeout(this.#timeout);
    this.#due = undefined;
    if (at === undefined) return;
    const ms = Math.min(Math.max(Math.ceil((at - this.now()) / 1000), 0), LOOK_MS);
    this.#due = { wall: this.#source.wall() + ms, steady: this.#source.steady() + ms };
    this.#timeout = this.#source.setTimeout(() => {
      this.#notice();
      if (this.now() >= at) call();
      else this.wake(at, call);
    }, ms);
  }

  /** Tells if this look came so late that nobody can have been awake. */
  #notice(): void {
    if (this.#due === undefined) return;
    const late = Math.max(this.#source.wall() - this.#due.wall, this.#source.steady() - this.#due.steady);
    if (late < GAP_MS) return;
    // What the steady clock did not count is counted now, once.
    const missed = late - (this.#source.steady() - this.#due.steady);
    if (missed > 0) this.#offsetMs += missed;
    this.#due = undefined;
    this.onwoke?.(Math.round(late * 1000));
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
