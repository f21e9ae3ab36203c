/** The store in IndexedDB, on fake-indexeddb: what is kept after a crash, who may write, and what no room does. */
import { IDBFactory, IDBObjectStore } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { appended, compacted } from '../src/storage/block.js';
import { exportLog } from '../src/storage/file.js';
import { openIdb } from '../src/storage/idb.js';
import { parseStorage } from '../src/storage/name.js';
import { destroyStorage, openStorage } from '../src/storage/open.js';
import type { Durability, Store, StoreError } from '../src/storage/store.js';
import { FakeLocks } from './fakes/locks.js';

const bytes = (...values: number[]) => Uint8Array.from(values);

describe('a store in IndexedDB', () => {
  let factory: IDBFactory;
  let opened: Store[];
  beforeEach(() => {
    factory = new IDBFactory();
    opened = [];
  });
  afterEach(() => {
    for (const store of opened) store.close();
  });
  const open = async (name = 'home', durability: Durability = 'strict') => {
    const store = await openIdb(name, { durability, factory });
    opened.push(store);
    return store;
  };

  test('keeps what was complete, in its order, when nobody closed it', async () => {
    const store = await open();
    await store.append([bytes(1), bytes(2)]);
    await store.append([bytes(3)]);
    expect(await (await open()).read()).toEqual([bytes(1), bytes(2), bytes(3)]);
  });

  test('a replacement is all or nothing', async () => {
    const store = await open();
    await store.append([bytes(1), bytes(2)]);
    await store.replace([bytes(3)]);
    await store.append([bytes(4)]);
    expect(await (await open()).read()).toEqual([bytes(3), bytes(4)]);
  });

  test.each(['relaxed', 'strict'] as const)('one transaction a call, as durable as asked: %s', async (durability) => {
    const store = await open('home', durability);
    const transactions: unknown[] = [];
    const db = await new Promise<IDBDatabase>((resolve) => {
      const request = factory.open('wasmqtt:home');
      request.onsuccess = () => resolve(request.result as unknown as IDBDatabase);
    });
    const type = Object.getPrototypeOf(db);
    const transaction = type.transaction;
    type.transaction = function (...all: unknown[]) {
      transactions.push(all.slice(1));
      return transaction.apply(this, all);
    };
    await store.append([bytes(1), bytes(2), bytes(3)]);
    type.transaction = transaction;
    db.close();
    expect(transactions).toEqual([['readwrite', { durability }]]);
  });

  test('without room nothing of a write is kept, and the next one may work', async () => {
    const store = await open();
    await store.append([bytes(1)]);
    const add = IDBObjectStore.prototype.add;
    IDBObjectStore.prototype.add = function (value: unknown) {
      if ((value as Uint8Array)[0] === 3) throw new DOMException('full', 'QuotaExceededError');
      return add.call(this, value);
    };
    await expect(store.append([bytes(2), bytes(3)])).rejects.toMatchObject({ code: 'quota' });
    await expect(store.replace([bytes(2), bytes(3)])).rejects.toMatchObject({ code: 'quota' });
    IDBObjectStore.prototype.add = add;
    await store.append([bytes(4)]);
    expect(await store.read()).toEqual([bytes(1), bytes(4)]);
  });

  test('without locks the newest broker gets the store, and the one before it keeps nothing more', async () => {
    const first = await open();
    const lost: StoreError[] = [];
    first.onlost = (error) => lost.push(error);
    await first.append([bytes(1)]);
    const second = await open();
    await expect(first.append([bytes(2)])).rejects.toMatchObject({ code: 'lost' });
    await expect(first.append([bytes(3)])).rejects.toMatchObject({ code: 'lost' });
    expect(lost).toHaveLength(1);
    expect(await second.read()).toEqual([bytes(1)]);
  });

  test('a store of a newer build is refused, and its broker is told when a newer one wants it', async () => {
    const older = await open();
    const told = new Promise<StoreError>((resolve) => {
      older.onlost = resolve;
    });
    const newer = await new Promise<IDBDatabase>((resolve) => {
      const request = factory.open('wasmqtt:home', 2);
      request.onsuccess = () => resolve(request.result as unknown as IDBDatabase);
    });
    expect((await told).code).toBe('lost');
    newer.close();
    await expect(open()).rejects.toMatchObject({ code: 'newer', message: expect.stringContaining('Reload the page') });
  });

  test('destroying deletes it, under the feet of its broker only where there are no locks', async () => {
    const store = await open();
    await store.append([bytes(1)]);
    const told = new Promise<StoreError>((resolve) => {
      store.onlost = resolve;
    });
    await destroyStorage('idb:home', { indexedDB: factory, locks: null });
    expect((await told).code).toBe('lost');
    expect(await (await open()).read()).toEqual([]);
  });
});

describe('opening', () => {
  const tabs = new FakeLocks();
  let indexedDB: IDBFactory;
  beforeEach(() => {
    indexedDB = new IDBFactory();
  });
  const options = (owner: string) => ({ indexedDB, locks: tabs.of(owner) });

  test('a second broker is told to share', async () => {
    const first = await openStorage('idb:home', options('a'));
    const second = openStorage('idb:home', options('b'));
    await expect(second).rejects.toMatchObject({ code: 'busy', message: expect.stringContaining('SharedBroker') });
    const other = await openStorage('idb:other', options('b'));
    for (const opened of [first, other]) {
      opened?.store.close();
      await opened?.release();
    }
    const third = await openStorage('idb:home', options('b'));
    third?.store.close();
    await third?.release();
  });

  test('or waits until the first is gone, whatever became of it', async () => {
    await openStorage('idb:home', options('a'));
    let done = false;
    const second = openStorage('idb:home', { ...options('b'), wait: true }).then((opened) => {
      done = true;
      return opened;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toBe(false);
    tabs.kill('a');
    const opened = await second;
    opened?.store.close();
    await opened?.release();
  });

  test('a store that is open is not destroyed', async () => {
    const opened = await openStorage('idb:home', options('a'));
    await expect(destroyStorage('idb:home', options('b'))).rejects.toMatchObject({ code: 'busy' });
    opened?.store.close();
    await opened?.release();
    await destroyStorage('idb:home', options('b'));
  });

  test('a damaged store is refused, left as it is, and can be opened by nobody meanwhile', async () => {
    const store = await openIdb('home', { durability: 'relaxed', factory: indexedDB });
    const block = appended(1, [bytes(7)]);
    block[14] = 9;
    await store.append([block]);
    store.close();
    for (let times = 0; times < 2; times += 1) {
      await expect(openStorage('idb:home', options('a'))).rejects.toMatchObject({ code: 'damaged' });
    }
    const again = await openIdb('home', { durability: 'relaxed', factory: indexedDB });
    expect(await again.read()).toEqual([block]);
    again.close();
  });

  test('an import fills an empty store and no other', async () => {
    const file = exportLog(5, [bytes(1), bytes(2)]);
    const opened = await openStorage('idb:home', { ...options('a'), import: file });
    expect(opened?.log.lsns).toEqual([5, 5]);
    opened?.store.close();
    await opened?.release();
    const kept = await openIdb('home', { durability: 'relaxed', factory: indexedDB });
    expect(await kept.read()).toEqual(compacted(5, [bytes(1), bytes(2)]));
    kept.close();
    await expect(openStorage('idb:home', { ...options('a'), import: file })).rejects.toMatchObject({
      code: 'not-empty',
    });
  });

  test('names', async () => {
    expect(parseStorage('idb:a b')).toEqual({ kind: 'idb', name: 'a b' });
    expect(parseStorage('memory:')).toEqual({ kind: 'memory', name: '' });
    for (const wrong of ['', 'idb', 'idb:', 'memory:x', 'disk:x', 'idb:a/b', `idb:${'x'.repeat(101)}`, 7, undefined]) {
      expect(() => parseStorage(wrong)).toThrow(/^storage: .* is not allowed/);
    }
    await expect(openStorage('opfs:x', { locks: null })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining("'idb:x'"),
    });
  });
});
