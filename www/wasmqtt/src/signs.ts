/**
 * How the two ends of a port know that the other is alive, since a port does not say it: Web Locks, which a page or worker
 * loses when it dies, and signs of life where there are none.
 */

/** Web Locks, as far as they are used here. */
export type Locks = Pick<LockManager, 'request'>;

/** Signs that may be missing before the other side counts as dead. */
const HEARTBEATS_MISSED_MAX = 3;

/** The Web Locks of this place, if it has any. */
export const platformLocks = (): Locks | null => (globalThis.navigator as Navigator | undefined)?.locks ?? null;

/** Signs of life in both directions. */
export class Pulse {
  #timer: ReturnType<typeof setInterval>;
  #missed = 0;

  constructor(everyMs: number, beat: () => void, dead: () => void) {
    this.#timer = setInterval(() => {
      this.#missed += 1;
      if (this.#missed > HEARTBEATS_MISSED_MAX) {
        this.stop();
        dead();
      } else beat();
    }, everyMs);
    // In Node a broker that only waits keeps no process alive.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  heard(): void {
    this.#missed = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** The lock of this whole page or worker, by which everybody that it serves sees that it is there. */
const own = new WeakMap<object, Promise<string | null>>();

/** Takes it, once; gives its name, `null` if locks are refused. */
export function ownLock(locks: Locks): Promise<string | null> {
  const lock = own.get(locks) ?? holdLock(locks, () => {});
  own.set(locks, lock);
  return lock;
}

/**
 * Whether somebody holds a lock that we could wait for. Pages of another origin, and frames that are kept apart from
 * others of their own, have locks of their own, in which every name is free.
 */
export async function isHeld(locks: Locks, name: string): Promise<boolean> {
  try {
    return await locks.request(name, { ifAvailable: true }, async (lock) => lock === null);
  } catch {
    return false;
  }
}

/** Calls back when whoever holds a lock is gone. */
export function watch(locks: Locks, name: string, signal: AbortSignal, gone: () => void): void {
  Promise.resolve(locks.request(name, { signal }, gone)).catch(() => {});
}

/** Holds a lock that nobody else has until its function is called; gives its name, `null` if locks are refused. */
export function holdLock(locks: Locks, free: (release: () => void) => void): Promise<string | null> {
  const name = `wasmqtt:port:${Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('')}`;
  return new Promise((resolve) => {
    const held = locks.request(name, {}, () => {
      resolve(name);
      return new Promise<void>((done) => free(done));
    });
    Promise.resolve(held).catch(() => resolve(null));
  });
}
