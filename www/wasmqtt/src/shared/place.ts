/**
 * What a shared broker needs of the context it is in: locks, channels, time. Tests bring their own, so that a dozen tabs
 * fit in one test.
 */
import { type Locks, webLocks } from '../storage/lock.js';
import type { Batch, Control, Frame } from './protocol.js';

/** A MessagePort or a BroadcastChannel, as far as it is used here. */
export interface Channel {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}

/** A context: a tab or a worker. */
export interface Place {
  locks: Locks | undefined;
  /** A channel to all contexts of the origin that open the same name. */
  channel(name: string): Channel;
  /** Milliseconds that never go back. */
  now(): number;
  /** Calls back after this many milliseconds; the function that comes back takes it back. */
  after(ms: number, call: () => void): () => void;
  /** A name that nobody else has. */
  id(): string;
}

/** The context that this code runs in. */
export function thisPlace(): Place {
  return {
    locks: webLocks(),
    channel: (name) => new BroadcastChannel(name),
    now: () => performance.now(),
    after(ms, call) {
      const timeout = setTimeout(call, ms);
      return () => clearTimeout(timeout);
    },
    id: () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join(''),
  };
}

/** Sends frames: those of one task in one message. */
export class Wire {
  #channel: Channel;
  #epoch: number;
  #frames: Frame[] = [];
  #closed = false;

  constructor(channel: Channel, epoch: number) {
    this.#channel = channel;
    this.#epoch = epoch;
  }

  /** Sends a frame, behind all before it. */
  send(frame: Frame): void {
    if (this.#closed) return;
    if (this.#frames.length === 0) queueMicrotask(() => this.flush());
    this.#frames.push(frame);
  }

  /** Sends what waits at once. */
  flush(): void {
    if (this.#frames.length === 0 || this.#closed) return;
    const batch: Batch = { epoch: this.#epoch, frames: this.#frames };
    this.#frames = [];
    this.#channel.postMessage(batch);
  }

  /** Sends what waits, and nothing after it. */
  close(): void {
    this.flush();
    this.#closed = true;
    this.#channel.onmessage = null;
    this.#channel.close();
  }
}

/** The frames of a message if it is a batch of this epoch. */
export function framesOf(message: unknown, epoch: number): Frame[] {
  const batch = message as Partial<Batch> | null;
  return batch?.epoch === epoch && Array.isArray(batch.frames) ? batch.frames : [];
}

/** A message if it is one about who is host. */
export function controlOf(message: unknown): Control | undefined {
  const control = message as Partial<Control> | null;
  return typeof control?.say === 'string' ? (control as Control) : undefined;
}

/** Signs of life where there are no locks. Whoever is silent for longer than `ms` although asked is gone. */
export class Heartbeat {
  #place: Place;
  #ms: number;
  #ask: () => void;
  #gone: () => void;
  #heard: number;
  #asked = false;
  #cancel: () => void = () => {};

  constructor(place: Place, ms: number, ask: () => void, gone: () => void) {
    this.#place = place;
    this.#ms = ms;
    this.#ask = ask;
    this.#gone = gone;
    this.#heard = place.now();
    this.#wait();
  }

  /** Something came from the other side. */
  heard(): void {
    this.#heard = this.#place.now();
    this.#asked = false;
  }

  stop(): void {
    this.#cancel();
  }

  #wait(): void {
    this.#cancel = this.#place.after(this.#ms / 2, () => {
      // A timer that came late says nothing about the other side: it is judged only after it was asked, and had time.
      if (this.#asked && this.#place.now() - this.#heard >= this.#ms) {
        this.#gone();
        return;
      }
      this.#asked = true;
      this.#ask();
      this.#wait();
    });
  }
}
