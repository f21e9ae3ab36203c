/**
 * The core, the journal and IndexedDB together, with a crash after every transaction: whatever a client was told before
 * it still holds after it. Packets are written by hand.
 */
import { readFileSync } from 'node:fs';
import { IDBFactory } from 'fake-indexeddb';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Core, initSync } from '../generated/wasmqtt.js';
import { handle, poll, restore } from '../src/core.js';
import { readLog } from '../src/storage/block.js';
import { exportLog, importLog } from '../src/storage/file.js';
import { openIdb } from '../src/storage/idb.js';
import { Journal } from '../src/storage/journal.js';
import { openStorage } from '../src/storage/open.js';
import { type Store, StoreError } from '../src/storage/store.js';

const text = (value: string) => [0, value.length, ...new TextEncoder().encode(value)];
const packet = (first: number, ...body: number[]) => Uint8Array.of(first, body.length, ...body);
/** CONNECT, 3.1.1, Clean Session 0. */
const connect = (client: string) => packet(0x10, ...text('MQTT'), 4, 0, 0, 0, ...text(client));
/** CONNECT, 5.0, Clean Start 0, Session Expiry Interval 100 s. */
const connectV5 = (client: string) => packet(0x10, ...text('MQTT'), 5, 0, 0, 0, 5, 0x11, 0, 0, 0, 100, ...text(client));
/** SUBSCRIBE with identifier 1 to `a` at QoS 2. */
const subscribe = packet(0x82, 0, 1, ...text('a'), 2);
const publish = (qos: number, id: number, payload: number) => packet(0x30 | (qos << 1), ...text('a'), 0, id, payload);
const pubrel = (id: number) => packet(0x62, 0, id);

/** The broker of one life of a page. */
class Life {
  readonly core: Core;
  readonly journal: Journal;
  /** Bytes that each connection received. */
  readonly heard: number[][] = [];
  #slots = 0;

  constructor(store: Store, opened: Awaited<ReturnType<typeof openStorage>> & object, compactBytesMin: number) {
    const { lsns, records } = opened.log;
    const config = { storage: 'Log', sys_interval_s: 0 };
    this.core = restore(config, new Uint8Array(16), Float64Array.from(lsns), records);
    const source = {
      settle: () => this.turn(),
      records: () => this.core.records() as Uint8Array[],
      stored: (upto: number) => this.turn(() => handle(this.core, { Stored: { upto } })),
      failed: (from: number) => this.turn(() => handle(this.core, { StoreFailed: { from } })),
    };
    this.journal = new Journal(store, opened.log, source, () => {}, { compactBytesMin });
  }

  turn(work: () => void = () => {}): void {
    this.core.begin(1e15);
    work();
    this.core.end();
    const lsns: number[] = [];
    const records: Uint8Array[] = [];
    for (let output = poll(this.core); output !== undefined; output = poll(this.core)) {
      const append = output.Append as { lsn: number; record: Uint8Array } | undefined;
      if (append === undefined) continue;
      lsns.push(append.lsn);
      records.push(append.record);
    }
    this.journal.append(lsns, records);
    for (let slot = 0; slot < this.#slots; slot += 1) {
      const bytes = this.core.outgoing(slot, 0, 1 << 20);
      if (bytes.length === 0) continue;
      this.heard[slot]?.push(...bytes);
      this.core.begin(1e15);
      this.core.sent(slot, 0, bytes.length);
    }
  }

  connect(client: string, bytes = connect(client)): number {
    const slot = this.#slots++;
    this.heard.push([]);
    this.turn(() => {
      this.core.opened(slot, 0, true, 'test');
      this.core.received(slot, 0, bytes);
    });
    return slot;
  }

  send(slot: number, bytes: Uint8Array): void {
    this.turn(() => this.core.received(slot, 0, bytes));
  }
}

/** A store whose transactions stop working after some: the page is gone. */
function dying(store: Store, transactions: number): Store & { dead: Promise<void> } {
  let left = transactions;
  let died: () => void = () => {};
  const dead = new Promise<void>((resolve) => {
    died = resolve;
  });
  const write = (call: () => Promise<void>) => {
    if (left === 0) {
      died();
      return new Promise<void>(() => {});
    }
    left -= 1;
    return call();
  };
  return {
    dead,
    onlost: undefined,
    read: () => store.read(),
    append: (blocks) => write(() => store.append(blocks)),
    replace: (blocks) => write(() => store.replace(blocks)),
    close: () => store.close(),
  };
}

async function begin(indexedDB: IDBFactory, transactions: number, compactBytesMin = 1 << 20) {
  const opened = await openStorage('idb:x', { indexedDB, locks: null });
  if (opened === undefined) throw new Error('there is a store');
  const store = dying(opened.store, transactions);
  return { life: new Life(store, opened, compactBytesMin), store };
}

/** Payloads of the PUBLISH packets to `a` among bytes of short packets, and identifiers by packet type. */
function read(bytes: number[]): { payloads: number[]; acks: string[] } {
  const payloads: number[] = [];
  const acks: string[] = [];
  for (let at = 0; at < bytes.length; at += 2 + (bytes[at + 1] as number)) {
    const type = (bytes[at] as number) >> 4;
    if (type === 3) payloads.push(bytes[at + 1 + (bytes[at + 1] as number)] as number);
    else acks.push(`${type}:${bytes[at + 3]}`);
  }
  return { payloads, acks };
}

describe('a crash after any transaction', () => {
  beforeAll(() => {
    initSync({ module: readFileSync(new URL('../generated/wasmqtt_bg.wasm', import.meta.url)) });
  });

  /** A subscriber that leaves, and a publisher; gives what the publisher was told before the crash. */
  async function firstLife(indexedDB: IDBFactory, transactions: number, compactBytesMin: number) {
    const { life, store } = await begin(indexedDB, transactions, compactBytesMin);
    const story = async () => {
      const sub = life.connect('sub');
      life.send(sub, subscribe);
      await life.journal.idle();
      life.turn(() => life.core.closed(sub, 0));
      const pub = life.connect('pub');
      await life.journal.idle();
      for (let n = 1; n <= 6; n += 1) {
        life.send(pub, publish(n % 2 === 0 ? 2 : 1, n, n));
        await life.journal.idle();
        if (n % 2 === 0) life.send(pub, pubrel(n));
        await life.journal.idle();
      }
    };
    await Promise.race([story(), store.dead]);
    const told = (slot: number) => read(life.heard[slot] ?? []).acks;
    return { sub: told(0), pub: told(1), finished: told(1).includes('7:6') };
  }

  for (const compactBytesMin of [1 << 20, 0]) {
    test(`keeps what was promised (compacting from ${compactBytesMin} bytes on)`, async () => {
      let finished = false;
      for (let transactions = 1; !finished; transactions += 1) {
        const indexedDB = new IDBFactory();
        const told = await firstLife(indexedDB, transactions, compactBytesMin);
        finished = told.finished;
        const { life } = await begin(indexedDB, Number.POSITIVE_INFINITY);
        const sub = life.connect('sub');
        await life.journal.idle();
        // CONNACK was given: the Session is there [311:MQTT-3.2.2-2].
        if (told.sub.some((ack) => ack.startsWith('2:'))) expect(life.heard[sub]?.slice(0, 4)).toEqual([0x20, 2, 1, 0]);
        if (!told.sub.includes('9:1')) continue;
        // PUBACK or PUBREC was given: the message is there, once, in its order [311:MQTT-4.6.0-5].
        const { payloads } = read(life.heard[sub] ?? []);
        const promised = [1, 2, 3, 4, 5, 6].filter((n) => told.pub.includes(`${n % 2 === 0 ? 5 : 4}:${n}`));
        expect(payloads.slice(0, promised.length)).toEqual(promised);
        expect(payloads.length).toBeLessThanOrEqual(promised.length + 1);
        // PUBREC was given and PUBCOMP was not: the same PUBLISH again is no second message [311:MQTT-4.3.3-2].
        const half = [2, 4, 6].filter((n) => told.pub.includes(`5:${n}`) && !told.pub.includes(`7:${n}`));
        const pub = life.connect('pub');
        await life.journal.idle();
        for (const n of half) {
          life.send(pub, publish(2, n, 99));
          await life.journal.idle();
          expect(read(life.heard[pub] ?? []).acks).toContain(`5:${n}`);
        }
        expect(read(life.heard[sub] ?? []).payloads).not.toContain(99);
      }
    });
  }

  test('an exported state is the state', async () => {
    const indexedDB = new IDBFactory();
    const { life } = await begin(indexedDB, Number.POSITIVE_INFINITY);
    const sub = life.connect('sub');
    life.send(sub, subscribe);
    await life.journal.idle();
    const file = exportLog(life.journal.last, life.core.records() as Uint8Array[]);
    const log = await importLog(file);
    const again = restore({ storage: 'Log' }, new Uint8Array(16), Float64Array.from(log.lsns), log.records);
    expect(again.records()).toEqual(life.core.records());
    const elsewhere = await openStorage('idb:y', { indexedDB, locks: null, import: file });
    expect(elsewhere?.log.records).toEqual(log.records);
    elsewhere?.store.close();
  });

  test('a full disk is refused to the client, and taken again when there is room', async () => {
    const store = await openIdb('x', { durability: 'relaxed', factory: new IDBFactory() });
    let full = false;
    const refuse = () => Promise.reject(new StoreError('quota', 'full'));
    const limited: Store = {
      onlost: undefined,
      read: () => store.read(),
      append: (blocks) => (full ? refuse() : store.append(blocks)),
      replace: (blocks) => (full ? refuse() : store.replace(blocks)),
      close: () => store.close(),
    };
    const empty = { lsns: [], records: [], bytes: 0, compactedBytes: 0 };
    const opened = { store: limited, log: empty, persisted: undefined, tornBytes: 0, release: async () => {} };
    const life = new Life(limited, opened, 1 << 20);
    const sub = life.connect('sub');
    life.send(sub, subscribe);
    const pub = life.connect('pub', connectV5('pub'));
    await life.journal.idle();
    full = true;
    // PUBLISH to `a`, 5.0, no properties; PUBACK says 0x97, Quota exceeded [5:MQTT-3.4.2-1].
    life.send(pub, packet(0x32, ...text('a'), 0, 1, 0, 1));
    await life.journal.idle();
    expect(life.heard[pub]?.slice(-5)).toEqual([0x40, 3, 0, 1, 0x97]);
    // 3.1.1 has no Reason Code: its connection ends and nothing is acknowledged [311:MQTT-4.8.0-2].
    const old = life.connect('old');
    await life.journal.idle();
    life.send(old, publish(1, 1, 1));
    await life.journal.idle();
    expect(read(life.heard[old] ?? []).acks).not.toContain('4:1');
    full = false;
    await life.journal.retry();
    life.send(pub, packet(0x32, ...text('a'), 0, 2, 0, 2));
    await life.journal.idle();
    expect(life.heard[pub]?.slice(-4)).toEqual([0x40, 2, 0, 2]);
    const log = readLog(await store.read(), 'idb:x');
    const again = restore({ storage: 'Log' }, new Uint8Array(16), Float64Array.from(log.lsns), log.records);
    expect(again.records().length).toBeGreaterThan(3);
    store.close();
  });
});
