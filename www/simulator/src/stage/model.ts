// The Stage as the page sees it: a few signals that change when time or history changes, and what a person can do. Views
// read the signals; nobody else touches the Stage. Whatever a person does while time stands still lets time run until
// nothing is on its way any more, so that an act is seen to the end; then it stands still again.

import { batch, computed, type ReadonlySignal, signal } from '@preact/signals';
import { Stage } from './door';
import { type RefusalKind, refusalKind } from './refusal';
import type {
  Branches,
  Check,
  Comparison,
  Described,
  Entry,
  Level,
  Micros,
  Next,
  PacketView,
  Playhead,
  Sessions,
  StageCommand,
  Topics,
  TriedFilter,
  Verdict,
  Why,
} from './types';

/** How the playhead came to where it is. */
export type Move = 'begin' | 'step' | 'back' | 'seek' | 'run' | 'command' | 'branch';

/** What the last move passed: entries `from` to before `to`. */
export interface Moved {
  readonly how: Move;
  readonly from: number;
  readonly to: number;
}

export interface Refused {
  readonly command: StageCommand;
  readonly kind: RefusalKind;
  /** The Stage's own words. */
  readonly message: string;
}

/** What makes frames; the browser's own unless a test has another. */
export interface Frames {
  request(callback: (now: number) => void): number;
  cancel(handle: number): void;
}

const BROWSER_FRAMES: Frames = {
  request: (callback) => requestAnimationFrame(callback),
  cancel: (handle) => cancelAnimationFrame(handle),
};

/** A tab that slept must not leap. */
const FRAME_MS_MAX = 100;
/** So long what is to be read stays as it is, while time runs. */
const CALM_MS = 150;

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 60] as const;
/** Slow enough to see a packet travel. */
export const SPEED = 0.5;

/** Timers whose end is part of what a person did; keep-alives and PINGs go on for ever and are not. */
const LEADS_ON: ReadonlySet<string> = new Set(['reconnect', 'will_delay']);
const LEADS_ON_WITHIN_US = 6_000_000;

/** What says the same as before is the same object as before: then nobody needs to draw it again. */
class Same<T> {
  #known: ReadonlyMap<string, T> = new Map();

  of(list: readonly T[]): readonly T[] {
    const all = list.map((one): [string, T] => {
      const text = JSON.stringify(one);
      return [text, this.#known.get(text) ?? one];
    });
    this.#known = new Map(all);
    return all.map(([, one]) => one);
  }
}

export class Model {
  readonly playhead;
  /** Changes with everything that happens or is undone. */
  readonly moment = signal(0);
  /** Changes when there is something new to read: while time runs only as often as eyes can follow words. */
  readonly calm = signal(0);
  readonly moved = signal<Moved>({ how: 'begin', from: 0, to: 0 });
  readonly playing = signal(false);
  readonly speed = signal<number>(SPEED);
  readonly refused = signal<Refused | null>(null);
  readonly entries: ReadonlySignal<readonly Entry[]>;
  readonly sessions: ReadonlySignal<Sessions>;
  readonly topics: ReadonlySignal<Topics>;
  readonly next: ReadonlySignal<Next>;
  readonly branches: ReadonlySignal<Branches>;
  readonly #stage: Stage;
  readonly #frames: Frames;
  readonly #entries = signal<Entry[]>([]);
  #frame: number | undefined;
  #lastFrame = 0;
  #lastCalm = 0;
  #until: 'settled' | 'paused' = 'paused';
  #clock: Micros = 0;

  /** @throws Error with the Stage's words about what is wrong with the scenario, and where. */
  constructor(scenario: string, begin: Micros = 0, frames: Frames = BROWSER_FRAMES) {
    this.#stage = new Stage(scenario);
    this.#frames = frames;
    if (begin > 0) this.#stage.runUntil(begin);
    this.#entries.value = JSON.parse(this.#stage.log(0));
    this.playhead = signal<Playhead>(JSON.parse(this.#stage.playhead()));
    this.moved.value = { how: 'begin', from: 0, to: this.playhead.value.entries };
    this.entries = this.#entries;
    const atMoment = <T>(read: () => string): ReadonlySignal<T> =>
      computed(() => {
        void this.moment.value;
        return JSON.parse(read()) as T;
      });
    const clients = new Same<Sessions['clients'][number]>();
    const sessions = new Same<Sessions['sessions'][number]>();
    this.sessions = computed(() => {
      void this.moment.value;
      const now = JSON.parse(this.#stage.sessions()) as Sessions;
      return { clients: clients.of(now.clients), sessions: sessions.of(now.sessions) };
    });
    this.topics = atMoment(() => this.#stage.topics());
    this.next = atMoment(() => this.#stage.next());
    this.branches = atMoment(() => this.#stage.branches());
  }

  /** Gives the memory back. Nothing may be called afterwards. */
  free(): void {
    this.pause();
    this.#stage.free();
  }

  /**
   * Obeys a command at the playhead; in the past that makes a branch. What can't be obeyed changes nothing but `refused`.
   * `still`: time doesn't start to run by itself.
   */
  command(command: StageCommand, still = false): boolean {
    try {
      this.#stage.command(JSON.stringify(command));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.refused.value = { command, kind: refusalKind(message), message };
      return false;
    }
    batch(() => {
      this.refused.value = null;
      this.#read('command');
      if (!still && !this.playing.value && !this.settled()) this.#run('settled');
    });
    return true;
  }

  step(): boolean {
    this.pause();
    const went = this.#stage.step();
    this.#read('step');
    return went;
  }

  stepBack(): boolean {
    this.pause();
    const went = this.#stage.stepBack();
    this.#read('back');
    return went;
  }

  /** To the end of the moment of entry `n`; below 0: to the beginning. */
  seek(n: number): void {
    this.pause();
    this.#stage.seek(n);
    this.#read('seek');
  }

  seekTime(at: Micros): void {
    this.#stage.seekTime(Math.max(0, Math.round(at)));
    this.#clock = at;
    this.#read('seek');
  }

  toBeginning(): void {
    this.seek(-1);
  }

  toEnd(): void {
    const { of, ends_at, at } = this.playhead.value;
    if (of > 0) this.seek(of - 1);
    if (at < ends_at) this.seekTime(ends_at);
  }

  /** To the next time at which a packet arrives or is lost; false if none is on its way and no script will send one. */
  nextDelivery(): boolean {
    this.pause();
    const from = this.playhead.value.entries;
    const { delivery, script } = this.next.value;
    const at = delivery ?? script;
    if (at === null) return false;
    this.#stage.runUntil(at);
    this.#read('step', from);
    return true;
  }

  /** To the next timer that fires. */
  nextTimer(): boolean {
    this.pause();
    const from = this.playhead.value.entries;
    const timer = this.next.value.timers[0];
    if (!timer) return false;
    this.#stage.runUntil(timer.at);
    this.#read('step', from);
    return true;
  }

  /** On to a time, as fast as it goes. */
  runUntil(at: Micros): void {
    this.#stage.runUntil(at);
    this.#clock = at;
    this.#read('run');
  }

  play(): void {
    this.#run('paused');
  }

  /** Lets time run as long as something is on its way. */
  playUntilSettled(): void {
    this.#run('settled');
  }

  pause(): void {
    if (this.#frame !== undefined) this.#frames.cancel(this.#frame);
    this.#frame = undefined;
    this.playing.value = false;
    this.calm.value = this.calm.peek() + 1;
  }

  toggle(): void {
    if (this.playing.value) this.pause();
    else this.play();
  }

  switchTo(branch: number): void {
    this.pause();
    const { branch: from } = this.playhead.value;
    if (branch === from) return;
    const { common } = this.compare(from, branch);
    this.#stage.switch(branch);
    this.#read('branch', common, common);
  }

  why(n: number): Why | null {
    return this.#try(() => JSON.parse(this.#stage.why(n)));
  }

  packet(n: number): PacketView | null {
    return this.#try(() => JSON.parse(this.#stage.packet(n)));
  }

  tryFilter(filter: string): TriedFilter {
    return JSON.parse(this.#stage.tryFilter(filter));
  }

  check(check: Check): Verdict {
    return JSON.parse(this.#stage.check(JSON.stringify(check)));
  }

  goal(): Verdict | null {
    const goal = this.#stage.goal();
    return goal === undefined ? null : JSON.parse(goal);
  }

  compare(left: number, right: number): Comparison {
    return JSON.parse(this.#stage.compare(left, right));
  }

  logOf(branch: number): Entry[] {
    return JSON.parse(this.#stage.logOf(branch, 0));
  }

  /** The scenario as one line; with what the user did at the end of its script. */
  scenario(withCommands: boolean): string {
    return this.#stage.scenario(withCommands);
  }

  mermaid(): string {
    return this.#stage.mermaid();
  }

  text(): string {
    return this.#stage.text();
  }

  keyframeBytes(): number {
    return this.#stage.keyframeBytes();
  }

  /** The Stage throws where an entry is about no message or no packet; the views take that as `null`. */
  #try<T>(ask: () => T): T | null {
    try {
      return ask();
    } catch (error) {
      if (error instanceof Error && !(error instanceof WebAssembly.RuntimeError)) return null;
      throw error;
    }
  }

  #run(until: 'settled' | 'paused'): void {
    this.#until = until;
    if (this.playing.value) return;
    this.#clock = this.playhead.value.at;
    this.#lastFrame = 0;
    this.playing.value = true;
    this.#frame = this.#frames.request((now) => this.#tick(now));
  }

  #tick(now: number): void {
    const passed = this.#lastFrame === 0 ? 0 : Math.min(now - this.#lastFrame, FRAME_MS_MAX);
    this.#lastFrame = now;
    this.#clock += passed * 1000 * this.speed.value;
    this.#stage.runUntil(Math.round(this.#clock));
    batch(() => {
      this.#read('run');
      if (now - this.#lastCalm >= CALM_MS) {
        this.#lastCalm = now;
        this.calm.value = this.calm.peek() + 1;
      }
      if (this.#until === 'settled' && this.settled()) this.pause();
      else this.#frame = this.#frames.request((later) => this.#tick(later));
    });
  }

  /** Nothing is on its way, nobody is about to act, and the playhead is at the end. */
  settled(): boolean {
    const { entries, of, at } = this.playhead.value;
    if (entries < of) return false;
    const { delivery, script, timers } = this.next.peek();
    if (delivery !== null || script !== null) return false;
    return !timers.some((timer) => LEADS_ON.has(timer.what) && timer.at - at < LEADS_ON_WITHIN_US);
  }

  /** Takes over where the playhead is now. `common`: another branch that shares so many entries with this one. */
  #read(how: Move, from = this.playhead.value.entries, common?: number): void {
    const before = this.playhead.value;
    const playhead: Playhead = JSON.parse(this.#stage.playhead());
    batch(() => {
      if (playhead.branch !== before.branch) {
        const shared = common ?? this.#branchFrom(playhead.branch);
        const kept = this.#entries.value.slice(0, shared);
        this.#entries.value = kept.concat(JSON.parse(this.#stage.log(kept.length)) as Entry[]);
      } else {
        const entries = this.#entries.value;
        if (playhead.of > entries.length) {
          for (const entry of JSON.parse(this.#stage.log(entries.length)) as Entry[]) entries.push(entry);
        }
      }
      const passedTimer = playhead.at >= (this.next.peek().at ?? Number.POSITIVE_INFINITY);
      if (
        playhead.entries !== before.entries ||
        playhead.branch !== before.branch ||
        how === 'command' ||
        passedTimer
      ) {
        this.moment.value += 1;
      }
      if (playhead.at !== before.at || playhead.of !== before.of || playhead.entries !== before.entries) {
        this.playhead.value = playhead;
      } else if (playhead.branch !== before.branch || playhead.ends_at !== before.ends_at) {
        this.playhead.value = playhead;
      }
      if (how !== 'run') this.calm.value = this.calm.peek() + 1;
      if (how !== 'run' || playhead.entries !== before.entries) {
        this.moved.value = { how, from, to: playhead.entries };
      }
    });
  }

  #branchFrom(branch: number): number {
    const branches: Branches = JSON.parse(this.#stage.branches());
    return branches.find((one) => one.branch === branch)?.from ?? 0;
  }
}

/** The fields of bytes that a person edits. */
export function describe(bytes: Uint8Array, level: Level, towardBroker: boolean): Described {
  return JSON.parse(Stage.describe(bytes, level, towardBroker));
}
