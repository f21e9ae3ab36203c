/**
 * Web Locks for places that have none (Node 20): exclusive and shared, in the order of asking, `ifAvailable`, `signal`
 * and `query`. `kill` frees what a context held, as a browser does when a tab dies.
 */
import type { Locks } from '../../src/storage/lock.js';

interface Request {
  name: string;
  mode: 'exclusive' | 'shared';
  owner: string;
  grant: () => void;
}

/** All locks of one origin. */
export class FakeLocks {
  #held: Request[] = [];
  #waiting: Request[] = [];

  /** The locks as one tab or worker sees them. */
  of(owner: string): Locks {
    return {
      request: (name, options, call) => this.#request(owner, name, options, call),
      query: async () => ({ held: this.#held.map(({ name }) => ({ name })) }),
    };
  }

  /** A tab or worker dies. */
  kill(owner: string): void {
    this.#held = this.#held.filter((request) => request.owner !== owner);
    this.#waiting = this.#waiting.filter((request) => request.owner !== owner);
    this.#grant();
  }

  #request(
    owner: string,
    name: string,
    options: Parameters<Locks['request']>[1],
    call: Parameters<Locks['request']>[2],
  ) {
    const { mode = 'exclusive', ifAvailable = false, signal } = options;
    return new Promise<unknown>((resolve, reject) => {
      const request: Request = { name, mode, owner, grant: () => run({ name, mode }) };
      const run = (lock: unknown) => {
        const done = () => {
          this.#held = this.#held.filter((held) => held !== request);
          this.#grant();
        };
        Promise.resolve(call(lock)).then(resolve, reject).finally(done);
      };
      if (ifAvailable && !this.#free(request)) {
        run(null);
        return;
      }
      signal?.addEventListener('abort', () => {
        if (!this.#waiting.includes(request)) return;
        this.#waiting = this.#waiting.filter((waiting) => waiting !== request);
        reject(new DOMException('given up', 'AbortError'));
        this.#grant();
      });
      this.#waiting.push(request);
      this.#grant();
    });
  }

  #free({ name, mode }: Request): boolean {
    const holders = this.#held.filter((held) => held.name === name);
    return holders.length === 0 || (mode === 'shared' && holders.every((held) => held.mode === 'shared'));
  }

  #grant(): void {
    const passed = new Set<string>();
    for (const request of [...this.#waiting]) {
      if (passed.has(request.name) || !this.#free(request)) {
        passed.add(request.name);
        continue;
      }
      this.#waiting = this.#waiting.filter((waiting) => waiting !== request);
      this.#held.push(request);
      queueMicrotask(request.grant);
    }
  }
}
