/**
 * Between the core and a store: when to write what. The records of a turn are one block; blocks that come while the
 * store is busy are written together, in the next transaction, so that there is never more than one at a time and at
 * most one a turn. When a log has become twice as long as the shortest one that says the same (and is worth it), the
 * core is asked for that and it takes the log's place, in one step that a crash can't cut in two.
 *
 * When the store fails, the core hears of it and tells its clients; what it appends from then on is not written, since
 * the log has a gap. The journal tries again after a while, or when it is asked to, by writing the whole log anew;
 * when that works the core hears that everything is stored.
 */
import { appended, compacted, type Log } from './block.js';
import { type Store, StoreError } from './store.js';

/** What the journal needs of the core; all of it may be called at any time but from within a turn. */
export interface Source {
  /** Ends the turn that is open, so that every record that there is was given to `append`. */
  settle(): void;
  /** The shortest log for the state that the last turn left. */
  records(): Uint8Array[];
  /** Every record up to this place is stored. */
  stored(upto: number): void;
  /** Records from this place on are not stored. */
  failed(from: number): void;
}

/** What `on('storage')` tells. */
export type StorageEvent =
  /** The store is open: how many records and bytes were read, and how many bytes a crash had left half written. */
  | {
      type: 'opened';
      storage: string;
      records: number;
      bytes: number;
      tornBytes: number;
      persisted: boolean | undefined;
    }
  /** The log was written anew. */
  | { type: 'compacted'; bytesBefore: number; bytesAfter: number }
  /** A write failed; clients that waited for it got Reason Code 0x97 or lost their connection. Another try follows. */
  | { type: 'failed'; error: StoreError }
  /** Writing works again, and the store has everything that the broker knows. */
  | { type: 'recovered'; bytes: number }
  /** The store belongs to somebody else now, or is gone; the broker stops. */
  | { type: 'lost'; error: StoreError };

/** How the journal waits; tests bring their own. */
export interface Timer {
  /** Calls back after this many milliseconds; the function that comes back takes it back. */
  after(ms: number, call: () => void): () => void;
}

/** Choices of a journal, each with a default. */
export interface JournalOptions {
  /** Appended bytes below which a log is not compacted. Default 256 KiB. */
  compactBytesMin?: number;
  timer?: Timer;
}

const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 60_000;

const timeouts: Timer = {
  after(ms, call) {
    const timeout = setTimeout(call, ms);
    return () => clearTimeout(timeout);
  },
};

/** Records of a turn, or a whole log that makes all before it superfluous. */
interface Item {
  blocks: Uint8Array[];
  first: number;
  last: number;
  whole: boolean;
}

export class Journal {
  #store: Store;
  #source: Source;
  #tell: (event: StorageEvent) => void;
  #timer: Timer;
  #compactBytesMin: number;
  #waiting: Item[] = [];
  #writing: Promise<void> | undefined;
  /** The last record that the core wrote, and the last that is stored. */
  #last: number;
  #stored: number;
  /** Bytes in the store, and of the compacted log that they begin with; what waits is counted in. */
  #bytes: number;
  #compactedBytes: number;
  /** Storing failed and nothing is written until the log is anew. */
  #broken = false;
  /** The log is being written anew; what is appended meanwhile follows it. */
  #mending = false;
  #retryMs = RETRY_MS_MIN;
  #unretry: (() => void) | undefined;
  #over = false;

  /** Goes on with a log that was read from the store. */
  constructor(
    store: Store,
    log: Log,
    source: Source,
    tell: (event: StorageEvent) => void,
    options: JournalOptions = {},
  ) {
    this.#store = store;
    this.#source = source;
    this.#tell = tell;
    this.#timer = options.timer ?? timeouts;
    this.#compactBytesMin = options.compactBytesMin ?? 256 << 10;
    this.#last = log.lsns.at(-1) ?? 0;
    this.#stored = this.#last;
    this.#bytes = log.bytes;
    this.#compactedBytes = log.compactedBytes;
    store.onlost = (error) => this.#lose(error);
  }

  /** Takes the records of one turn, at its end: the core has no others. Their places follow each other. */
  append(lsns: readonly number[], records: Uint8Array[]): void {
    const first = lsns[0];
    if (this.#over || first === undefined) return;
    this.#last = first + records.length - 1;
    if (this.#broken && !this.#mending) return;
    const block = appended(first, records);
    this.#bytes += block.length;
    this.#waiting.push({ blocks: [block], first, last: this.#last, whole: false });
    const grown = this.#bytes - this.#compactedBytes;
    if (grown > Math.max(this.#compactedBytes, this.#compactBytesMin)) this.#compact();
    this.#begin();
  }

  /** Resolves when all that was appended so far is stored or has failed. */
  async idle(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  /** Whether the last write failed and none has worked since. */
  get broken(): boolean {
    return this.#broken;
  }

  /** The last record that was appended. */
  get last(): number {
    return this.#last;
  }

  /** Tries at once to write again after a failure: room was made. Resolves when it is known whether it works. */
  async retry(): Promise<void> {
    if (this.#broken && !this.#mending && !this.#over) {
      this.#unretry?.();
      this.#source.settle();
      this.#compact();
      this.#mending = true;
      this.#begin();
    }
    return this.idle();
  }

  /** Ends the core's turn, writes what waits and lets go of the store. Resolves when it is free for others. */
  async close(): Promise<void> {
    if (!this.#over) this.#source.settle();
    await this.idle();
    this.#over = true;
    this.#unretry?.();
    this.#store.onlost = undefined;
    this.#store.close();
  }

  /** What waits is said again, in short, by the core itself. */
  #compact(): void {
    const blocks = compacted(this.#last, this.#source.records());
    const bytesBefore = this.#bytes;
    this.#bytes = blocks.reduce((sum, block) => sum + block.length, 0);
    this.#compactedBytes = this.#bytes;
    this.#waiting = [{ blocks, first: this.#stored + 1, last: this.#last, whole: true }];
    if (!this.#broken) this.#tell({ type: 'compacted', bytesBefore, bytesAfter: this.#bytes });
  }

  #begin(): void {
    if (this.#writing !== undefined) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
      if (this.#waiting.length > 0 && !this.#over) this.#begin();
    });
  }

  async #write(): Promise<void> {
    const items = this.#waiting.splice(0);
    const last = items.at(-1)?.last ?? this.#last;
    const blocks = items.flatMap((item) => item.blocks);
    const whole = items[0]?.whole === true;
    try {
      await (whole ? this.#store.replace(blocks) : this.#store.append(blocks));
    } catch (error) {
      this.#fail(error instanceof StoreError ? error : new StoreError('failed', String(error), error), whole);
      return;
    }
    if (this.#over) return;
    this.#stored = last;
    if (this.#mending) {
      this.#broken = false;
      this.#mending = false;
      this.#retryMs = RETRY_MS_MIN;
      this.#tell({ type: 'recovered', bytes: this.#bytes });
    }
    this.#source.stored(last);
  }

  #fail(error: StoreError, whole: boolean): void {
    if (this.#over) return;
    if (error.code === 'lost') {
      this.#lose(error);
      return;
    }
    if (error.code === 'quota' && !whole && !this.#broken) {
      // The shortest log may fit where a longer one does not; nobody need hear of it then.
      this.#source.settle();
      this.#compact();
      return;
    }
    this.#broken = true;
    this.#mending = false;
    this.#waiting = [];
    this.#tell({ type: 'failed', error });
    this.#source.failed(this.#stored + 1);
    this.#unretry = this.#timer.after(this.#retryMs, () => void this.retry());
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
  }

  #lose(error: StoreError): void {
    if (this.#over) return;
    this.#over = true;
    this.#broken = true;
    this.#waiting = [];
    this.#unretry?.();
    this.#source.failed(this.#stored + 1);
    this.#tell({ type: 'lost', error });
  }
}
