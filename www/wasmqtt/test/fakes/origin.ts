/**
 * An origin with many contexts in one test: channels between them, locks, a clock that the test turns, and the death of
 * a context, after which it neither says nor hears anything.
 */
import type { Channel, Place } from '../../src/shared/place.js';
import { FakeLocks } from './locks.js';

interface Ear {
  owner: string;
  name: string;
  channel: Channel;
}

export class Origin {
  readonly locks = new FakeLocks();
  now = 0;
  /** Bytes of connections that were sent from context to context. */
  dataBytes = 0;
  #ears = new Set<Ear>();
  #dead = new Set<string>();
  #timers = new Set<{ owner: string; at: number; call: () => void }>();
  #ids = 0;
  /** Messages that are on their way. */
  #flying = 0;

  /** A new context. */
  place(owner: string, withLocks = true): Place {
    return {
      locks: withLocks ? this.locks.of(owner) : undefined,
      channel: (name) => this.#channel(owner, name),
      now: () => this.now,
      after: (ms, call) => {
        const timer = { owner, at: this.now + ms, call };
        this.#timers.add(timer);
        return () => this.#timers.delete(timer);
      },
      id: () => `${owner}-${++this.#ids}`,
    };
  }

  /** Two ends of a MessageChannel between two contexts. */
  pair(one: string, two: string): [Channel, Channel] {
    const name = `pair-${++this.#ids}`;
    return [this.#channel(one, name), this.#channel(two, name)];
  }

  /** A tab or worker dies at once. */
  kill(owner: string): void {
    this.#dead.add(owner);
    for (const timer of this.#timers) if (timer.owner === owner) this.#timers.delete(timer);
    this.locks.kill(owner);
  }

  /** A context hears nothing and does nothing, but lives. */
  freeze(owner: string): void {
    this.#dead.add(owner);
  }

  /** A context goes on; what was said meanwhile it did not hear. */
  thaw(owner: string): void {
    this.#dead.delete(owner);
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    do {
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    } while (this.#flying > 0);
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      await this.settle();
      const next = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.now = Math.max(this.now, next.at);
      next.call();
    }
    this.now = until;
  }

  #channel(owner: string, name: string): Channel {
    const channel: Channel = {
      onmessage: null,
      postMessage: (message) => {
        if (this.#dead.has(owner)) return;
        const data: unknown = structuredClone(message);
        const { frames = [] } = data as { frames?: unknown[][] };
        for (const frame of frames) if (frame[0] === 'data') this.dataBytes += (frame[2] as Uint8Array).length;
        for (const ear of this.#ears) {
          if (ear.name !== name || ear.channel === channel) continue;
          this.#flying += 1;
          setImmediate(() => {
            this.#flying -= 1;
            if (!this.#dead.has(ear.owner) && this.#ears.has(ear)) ear.channel.onmessage?.({ data } as MessageEvent);
          });
        }
      },
      close: () => void this.#ears.delete(ear),
    };
    const ear = { owner, name, channel };
    this.#ears.add(ear);
    return channel;
  }
}
