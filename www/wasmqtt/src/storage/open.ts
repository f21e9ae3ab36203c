/**
 * From `storage: 'idb:home'` to a store that this broker alone writes to. Opening takes an exclusive Web Lock on the
 * store's name before it touches the store; a second broker is told to share instead, or waits. Where there are no Web
 * Locks the newest broker gets the store and the one before it is told that it lost it (`idb.ts`).
 */
import { compacted, type Log, readLog } from './block.js';
import { deleteIdb, openIdb } from './idb.js';
import { type Free, hold, type Locks, webLocks } from './lock.js';
import { parseStorage } from './name.js';
import { type Durability, type Store, StoreError } from './store.js';

/** How to open a store. */
export interface StorageOptions {
  /** How sure a write must be before a client hears that its message is kept. Default `relaxed`. */
  durability?: Durability;
  /** Asks the browser to keep this site's data when the disk is full; the answer is in the event `opened`. Default no. */
  persist?: boolean;
  /** Waits until another broker lets go of the store, instead of failing with `busy`. Default no. */
  wait?: boolean;
  /** Gives up waiting. */
  signal?: AbortSignal;
  /** Begins with what `Broker.export()` gave; the store must be empty. */
  import?: Uint8Array | ArrayBuffer | Blob;
  /** Instead of those of this place; `null` for none. */
  locks?: Locks | null | undefined;
  /** Instead of that of this place. */
  indexedDB?: IDBFactory;
}

/** An open store and what was in it. */
export interface Opened {
  store: Store;
  log: Log;
  /** The browser's answer to `persist`; `undefined` if it was not asked or can't be from here. */
  persisted: boolean | undefined;
  /** Bytes at the end that a crash left half written; nobody was promised what they said. */
  tornBytes: number;
  /** Lets others open it; after the store was closed. Resolves when they can. */
  release: Free;
}

const lockName = (storage: string) => `wasmqtt:store:${storage}`;

/**
 * Opens a store for one broker; `undefined` for `memory:`, which has none.
 * @throws TypeError for a wrong name; StoreError `busy`, `unavailable`, `newer`, `damaged`, `not-empty`, `quota` or
 * `failed`; DOMException `AbortError` when `signal` gave up.
 */
export async function openStorage(storage: string, options: StorageOptions = {}): Promise<Opened | undefined> {
  const { kind, name } = parseStorage(storage);
  if (kind === 'memory') return undefined;
  const release = await lock(storage, options);
  let store: (Store & { tornBytes?: number }) | undefined;
  try {
    const durability = options.durability ?? 'relaxed';
    if (kind === 'idb') store = await openIdb(name, { durability, factory: options.indexedDB });
    else store = await (await import('./opfs.js')).openOpfs(name, durability);
    const advice = ` To begin anew, delete it with Broker.destroy('${storage}').`;
    let log = readLog(await store.read(), `'${storage}'`, advice);
    if (options.import !== undefined) log = await imported(store, log, storage, options.import);
    const persisted = options.persist === true ? await persist() : undefined;
    return { store, log, persisted, tornBytes: store.tornBytes ?? 0, release };
  } catch (error) {
    store?.close();
    await release();
    throw error;
  }
}

/**
 * Deletes a storage and all that is in it. There is no way back.
 * @throws TypeError for a wrong name; StoreError `busy` while a broker has it open.
 */
export async function destroyStorage(storage: string, options: StorageOptions = {}): Promise<void> {
  const { kind, name } = parseStorage(storage);
  if (kind === 'memory') return;
  const release = await lock(storage, options);
  try {
    if (kind === 'idb') await deleteIdb(name, options.indexedDB);
    else await (await import('./opfs.js')).deleteOpfs(name);
  } finally {
    await release();
  }
}

async function lock(storage: string, options: StorageOptions): Promise<Free> {
  const locks = options.locks === undefined ? webLocks() : (options.locks ?? undefined);
  const release = await hold(locks, lockName(storage), { wait: options.wait === true, signal: options.signal });
  if (release === 'none') return async () => {};
  if (release !== 'busy') return release;
  throw new StoreError(
    'busy',
    `'${storage}' is open in another broker of this origin, perhaps in another tab. Use SharedBroker (from 'wasmqtt/shared') to have one broker for all tabs, or another name.`,
  );
}

async function imported(
  store: Store,
  old: Log,
  storage: string,
  file: NonNullable<StorageOptions['import']>,
): Promise<Log> {
  if (old.records.length > 0) {
    throw new StoreError(
      'not-empty',
      `'${storage}' holds ${old.records.length} records already; import into another name, or delete it first with Broker.destroy('${storage}').`,
    );
  }
  const { importLog } = await import('./file.js');
  const log = await importLog(file);
  const blocks = compacted(log.lsns.at(-1) ?? 0, log.records);
  await store.replace(blocks);
  return readLog(blocks, `'${storage}'`);
}

async function persist(): Promise<boolean | undefined> {
  const manager = (globalThis.navigator as Navigator | undefined)?.storage;
  // Workers may only ask whether it is so.
  return (await manager?.persist?.()) ?? (await manager?.persisted?.());
}
