/**
 * A store that does what a test says: each call waits until the test completes or refuses it.
 */
import { type Store, StoreError, type StoreErrorCode } from '../../src/storage/store.js';

/** A call that waits for its end. */
export interface Call {
  kind: 'append' | 'replace';
  blocks: Uint8Array[];
  /** The write is kept. */
  complete(): Promise<void>;
  /** The write is refused and nothing of it kept. */
  refuse(code: StoreErrorCode): Promise<void>;
}

/** Lets promises that are settled run their course: one task. */
export const task = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Keeps blocks in memory. */
export class FakeStore implements Store {
  onlost: ((error: StoreError) => void) | undefined;
  /** What is kept. */
  kept: Uint8Array[] = [];
  /** What is being written; one at most. */
  calls: Call[] = [];
  closed = false;

  async read(): Promise<Uint8Array[]> {
    return this.kept;
  }
  append(blocks: Uint8Array[]): Promise<void> {
    return this.#call('append', blocks);
  }
  replace(blocks: Uint8Array[]): Promise<void> {
    return this.#call('replace', blocks);
  }
  close(): void {
    this.closed = true;
  }

  #call(kind: Call['kind'], blocks: Uint8Array[]): Promise<void> {
    if (this.calls.length > 0) throw new Error('one call at a time');
    return new Promise((resolve, reject) => {
      const over = (end: () => void) => {
        this.calls = [];
        end();
        return task();
      };
      this.calls.push({
        kind,
        blocks,
        complete: () => {
          this.kept = kind === 'append' ? [...this.kept, ...blocks] : blocks;
          return over(resolve);
        },
        refuse: (code) => over(() => reject(new StoreError(code, 'refused by the test'))),
      });
    });
  }
}
