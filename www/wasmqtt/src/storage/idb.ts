/**
 * A store in IndexedDB: a database of its own, `wasmqtt:NAME`, with the blocks in one object store and who writes them
 * in another. Every call is one transaction, so the browser keeps all of it or nothing.
 *
 * Who opens the store writes a number of its own (the fence) beside the blocks, and every later transaction looks
 * whether it still stands there. Where there are no Web Locks to keep a second broker out, the first one finds another
 * number, keeps nothing and says `lost`: two brokers never mix their blocks.
 */
import { checkFormat } from './block.js';
import { BUILD, type Durability, STORE_FORMAT, type Store, StoreError } from './store.js';

/** What stands beside the blocks. */
interface About {
  format: number;
  build: string;
  /** Who writes now. */
  fence: string;
}

const ABOUT = 'about';
const LOG = 'log';
const prefix = 'wasmqtt:';

/** Where IndexedDB is; a test may bring another. */
export interface IdbOptions {
  durability: Durability;
  factory?: IDBFactory | undefined;
}

/**
 * Opens a store, new or old, and makes this broker the one that writes to it.
 * @throws StoreError `unavailable`, `newer`, `quota` or `failed`.
 */
export async function openIdb(name: string, options: IdbOptions): Promise<Store> {
  const where = `idb:${name}`;
  const factory = options.factory ?? globalThis.indexedDB;
  if (factory === undefined) throw new StoreError('unavailable', `'${where}': there is no IndexedDB here.`);
  const db = await opened(factory, name, where);
  const store = new IdbStore(db, where, options.durability);
  try {
    await store.enter();
  } catch (error) {
    db.close();
    throw error;
  }
  return store;
}

/** Deletes a store and all in it; one that does not exist is deleted already. */
export function deleteIdb(name: string, factory: IDBFactory | undefined = globalThis.indexedDB): Promise<void> {
  return new Promise((resolve, reject) => {
    if (factory === undefined) return resolve();
    const request = factory.deleteDatabase(prefix + name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(failure(request.error, `idb:${name}`));
  });
}

function opened(factory: IDBFactory, name: string, where: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    let request: IDBOpenDBRequest;
    try {
      request = factory.open(prefix + name, STORE_FORMAT);
    } catch (error) {
      reject(new StoreError('unavailable', `'${where}': IndexedDB can't be used here, ${String(error)}.`, error));
      return;
    }
    request.onupgradeneeded = () => {
      request.result.createObjectStore(ABOUT);
      request.result.createObjectStore(LOG, { autoIncrement: true });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(failure(request.error, where));
  });
}

/** The browser's error as ours. */
function failure(error: DOMException | null, where: string): StoreError {
  const name = error?.name;
  if (name === 'QuotaExceededError') return new StoreError('quota', `'${where}': no room is left.`, error);
  if (name === 'VersionError') {
    return new StoreError(
      'newer',
      `'${where}' was written by a newer build; this one, ${BUILD}, reads up to format ${STORE_FORMAT}. Reload the page to get the newer one. Nothing was changed.`,
      error,
    );
  }
  return new StoreError(
    'failed',
    `'${where}': ${error?.message ?? 'the transaction was given up'}`,
    error ?? undefined,
  );
}

class IdbStore implements Store {
  onlost: ((error: StoreError) => void) | undefined;
  #db: IDBDatabase | undefined;
  #where: string;
  #durability: Durability;
  #fence = globalThis.crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  #lost: StoreError | undefined;

  constructor(db: IDBDatabase, where: string, durability: Durability) {
    this.#db = db;
    this.#where = where;
    this.#durability = durability;
    // Somebody deletes the store, or a newer build wants it: it gets it at once, and we are done.
    db.onversionchange = () => this.#lose('was deleted or taken over by a newer build');
    db.onclose = () => this.#lose('was closed by the browser, perhaps because site data was cleared');
  }

  /** Makes this broker the one that writes. */
  async enter(): Promise<void> {
    let newer: unknown;
    await this.#transaction((tx) => {
      const about = tx.objectStore(ABOUT);
      const request = about.get(ABOUT) as IDBRequest<About | undefined>;
      request.onsuccess = () => {
        try {
          if (request.result !== undefined) checkFormat(request.result.format, request.result.build, this.#where);
          const now: About = { format: STORE_FORMAT, build: BUILD, fence: this.#fence };
          about.put(now, ABOUT);
        } catch (error) {
          newer = error;
          tx.abort();
        }
      };
    }, false).catch((error) => {
      throw newer ?? error;
    });
  }

  async read(): Promise<Uint8Array[]> {
    let blocks: Uint8Array[] = [];
    await this.#transaction((tx) => {
      const request = tx.objectStore(LOG).getAll() as IDBRequest<Uint8Array[]>;
      request.onsuccess = () => {
        blocks = request.result;
      };
    });
    return blocks;
  }

  append(blocks: Uint8Array[]): Promise<void> {
    return this.#transaction((tx) => {
      const log = tx.objectStore(LOG);
      for (const block of blocks) log.add(block);
    });
  }

  replace(blocks: Uint8Array[]): Promise<void> {
    return this.#transaction((tx) => {
      const log = tx.objectStore(LOG);
      log.clear();
      for (const block of blocks) log.add(block);
    });
  }

  close(): void {
    this.#db?.close();
    this.#db = undefined;
  }

  #lose(what: string): void {
    if (this.#lost !== undefined || this.#db === undefined) return;
    this.#lost = new StoreError('lost', `'${this.#where}' ${what}; this broker can't write any more.`);
    this.close();
    this.onlost?.(this.#lost);
  }

  /** One transaction; resolves with its `complete`. */
  #transaction(work: (tx: IDBTransaction) => void, fenced = true): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#db === undefined) {
        reject(this.#lost ?? new StoreError('lost', `'${this.#where}' is closed.`));
        return;
      }
      let taken = false;
      let tx: IDBTransaction;
      try {
        tx = this.#db.transaction([ABOUT, LOG], 'readwrite', { durability: this.#durability });
      } catch (error) {
        // The browser closed it and has not said so yet.
        this.#lose('was closed by the browser');
        reject(this.#lost ?? failure(error as DOMException, this.#where));
        return;
      }
      tx.oncomplete = () => resolve();
      tx.onabort = () => {
        if (taken) this.#lose('was taken over by another broker');
        reject(this.#lost ?? failure(tx.error, this.#where));
      };
      if (fenced) {
        const request = tx.objectStore(ABOUT).get(ABOUT) as IDBRequest<About | undefined>;
        request.onsuccess = () => {
          taken = request.result?.fence !== this.#fence;
          if (taken) tx.abort();
        };
      }
      try {
        work(tx);
      } catch (error) {
        reject(failure(error as DOMException, this.#where));
        tx.abort();
      }
    });
  }
}
