/**
 * Locks on names, over all tabs and workers of an origin. A Web Lock is freed by the browser when its holder goes, for
 * whatever reason, which makes it both the guard of a store and the sign of life of a tab. Where there are none (old
 * WebViews, pages without a secure context, Node below 24) the functions here say so, and who calls them does without.
 */

/** The part of the Web Locks API that is used here; tests bring their own. */
export interface Locks {
  request(
    name: string,
    options: { mode?: 'exclusive' | 'shared'; ifAvailable?: boolean; signal?: AbortSignal },
    call: (lock: unknown) => Promise<unknown> | undefined,
  ): Promise<unknown>;
  query(): Promise<{ held?: { name?: string }[] }>;
}

/** How to wait for a lock. */
export interface LockOptions {
  /** `shared` holders go together; an `exclusive` one is alone, which is the default. */
  mode?: 'exclusive' | 'shared';
  /** Whether to wait until it is free; if not, `busy` is the answer. */
  wait?: boolean;
  /** Gives up waiting. */
  signal?: AbortSignal | undefined;
}

/** The locks of this place, `undefined` if it has none. */
export function webLocks(): Locks | undefined {
  return (globalThis.navigator as { locks?: Locks } | undefined)?.locks;
}

/** Frees a lock; resolves when others can have it. Any number of times. */
export type Free = () => Promise<void>;

/**
 * Holds a lock until the function that comes back is called. `busy`: somebody else has it. `none`: this place gives no
 * locks, as a sandboxed frame.
 * @throws DOMException `AbortError` when `signal` gave up.
 */
export function hold(
  locks: Locks | undefined,
  name: string,
  options: LockOptions = {},
): Promise<Free | 'busy' | 'none'> {
  if (locks === undefined) return Promise.resolve('none');
  const { mode = 'exclusive', wait = false, signal } = options;
  return new Promise((resolve, reject) => {
    const asked = { mode, ...(wait ? (signal === undefined ? {} : { signal }) : { ifAvailable: true }) };
    const held = (lock: unknown) => {
      if (lock === null) {
        resolve('busy');
        return undefined;
      }
      return new Promise<void>((done) => {
        resolve(() => {
          done();
          return over;
        });
      });
    };
    const refused = (error: unknown) => {
      if ((error as Error)?.name === 'AbortError') reject(error);
      else resolve('none');
    };
    // Some engines refuse by an exception and some by the promise. It resolves when the lock was freed.
    let over: Promise<void> = Promise.resolve();
    try {
      over = locks.request(name, asked, held).then(() => {}, refused);
    } catch (error) {
      refused(error);
    }
  });
}
