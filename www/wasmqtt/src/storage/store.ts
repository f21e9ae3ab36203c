/**
 * What a store is: a place that keeps blocks of bytes in their order, over the end of the page. It knows nothing of
 * what is in them (`block.ts` does) nor of when to write (`journal.ts` does). There is one for IndexedDB (`idb.ts`) and
 * one for the origin private file system (`opfs.ts`); a test may bring another.
 *
 * A store never keeps half of a call: after a crash a block that was being appended is there or is not, and of a
 * replacement there is the old content or the new one.
 */

/** What is said on disk about who wrote a store; a number above ours means a newer build. Old ones are read for ever. */
export const STORE_FORMAT = 1;

/** The build that writes, for people: it stands in every store and every exported file. */
export const BUILD = '0.1.0';

/**
 * How sure a write is before the broker counts on it. `relaxed`: it survives a crash of the tab and of the browser, not
 * a power cut. `strict`: the disk was told to keep it; slower.
 */
export type Durability = 'relaxed' | 'strict';

/** What kind of trouble a {@link StoreError} is. */
export type StoreErrorCode =
  /** Another broker has this store open. */
  | 'busy'
  /** This place has no such storage, or none that can be used from here. */
  | 'unavailable'
  /** What is stored is not what a broker wrote; nothing of it was changed. */
  | 'damaged'
  /** A newer build wrote it; this one can't read it and changes nothing. */
  | 'newer'
  /** No room is left. Nothing of this write was kept. */
  | 'quota'
  /** A write failed for another reason. Nothing of it was kept. */
  | 'failed'
  /** Another broker took the store over, or it was deleted: this one can't write any more. */
  | 'lost'
  /** An import was asked for, but the store holds something already. */
  | 'not-empty';

/** Everything that goes wrong with storage. `cause` is the browser's own error where there was one. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** What kind of trouble it is. */
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Keeps blocks. One call at a time: the next begins when the promise of the last has settled. */
export interface Store {
  /**
   * All blocks, oldest first.
   * @throws StoreError `damaged` or `failed`.
   */
  read(): Promise<Uint8Array[]>;
  /**
   * Keeps more blocks behind the others, all or none; resolves when they are as sure as the durability asks.
   * @throws StoreError `quota`, `failed` or `lost`; nothing was kept.
   */
  append(blocks: Uint8Array[]): Promise<void>;
  /**
   * Keeps these blocks instead of all that there are, all or none.
   * @throws StoreError as `append`; the old blocks are all there.
   */
  replace(blocks: Uint8Array[]): Promise<void>;
  /** Lets go of it. What was not resolved before may or may not be kept. Any number of times. */
  close(): void;
  /** Called once when the store is lost while nothing is being written. */
  onlost: ((error: StoreError) => void) | undefined;
}
