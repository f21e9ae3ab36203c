/**
 * The page dies between the two hops of a message: after every single transaction of its store, written or not. Then
 * another page goes on from what was stored. No QoS 1 or 2 message is lost, and no QoS 2 message comes twice, in either
 * direction. IndexedDB is fake-indexeddb; the remote is another broker behind a real listener.
 */
import { EventEmitter } from 'node:events';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { BridgeOptions, Broker, Message } from '../src/exports.js';
import { type Store, StoreError } from '../src/storage/store.js';
import { create } from './core.js';
import { bridgeEvents, over, pageRemote, type Remote } from './remote.js';

/** A page's life: its store works for so many transactions. */
class Life {
  left: number;
  /** Whether the last transaction is written, and only the page never hears of it. */
  writesLast: boolean;
  sockets: WebSocket[] = [];
  dead = false;
  #buried: (() => void)[] = [];
  #died: () => void = () => {};
  readonly death = new Promise<void>((resolve) => {
    this.#died = resolve;
  });

  constructor(left: number, writesLast: boolean) {
    this.left = left;
    this.writesLast = writesLast;
  }

  async write(call: () => Promise<void>): Promise<void> {
    if (this.left > 0) {
      this.left -= 1;
      return call();
    }
    if (!this.dead && this.writesLast) await call();
    this.dead = true;
    for (const socket of this.sockets) socket.terminate();
    this.#died();
    // What is left of the page waits until nobody looks at it any more.
    await new Promise<void>((resolve) => this.#buried.push(resolve));
    throw new StoreError('lost', 'the page is dead');
  }

  bury(): void {
    for (const bury of this.#buried) bury();
  }

  /** WebSockets of this page, which end with it. */
  get webSocket(): NonNullable<BridgeOptions['webSocket']> {
    const life = this;
    class Mortal extends WebSocket {
      constructor(...all: [url: string, protocols: string[]]) {
        if (life.dead) throw new Error('the page is dead');
        super(...all);
        life.sockets.push(this);
      }
    }
    return Mortal as unknown as NonNullable<BridgeOptions['webSocket']>;
  }
}

let life: Life;
vi.mock('../src/storage/open.js', async (original) => {
  const real = await original<typeof import('../src/storage/open.js')>();
  const mortal = (store: Store): Store => {
    const mine = life;
    return {
      read: () => store.read(),
      append: (blocks) => mine.write(() => store.append(blocks)),
      replace: (blocks) => mine.write(() => store.replace(blocks)),
      close: () => store.close(),
      get onlost() {
        return store.onlost;
      },
      set onlost(lost) {
        store.onlost = lost;
      },
    };
  };
  return {
    ...real,
    async openStorage(...all: Parameters<typeof real.openStorage>) {
      const opened = await real.openStorage(...all);
      return opened && { ...opened, store: mortal(opened.store) };
    },
  };
});

const text = (value: string) => [0, value.length, ...new TextEncoder().encode(value)];
const packet = (first: number, ...body: number[]) => Uint8Array.of(first, body.length, ...body);

/** A client of the page that speaks 3.1.1 with Clean Session 0, and whose bytes are written by hand. */
class Client {
  /** Types and identifiers of acknowledgements, payloads of PUBLISH, as they came. */
  readonly acks: string[] = [];
  readonly payloads: number[] = [];
  #came = new EventEmitter();
  #socket: ReturnType<Broker['websocket']>;

  constructor(broker: Broker, name: string) {
    this.#socket = broker.websocket();
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.onopen = () => this.send(packet(0x10, ...text('MQTT'), 4, 0, 0, 0, ...text(name)));
    this.#socket.onmessage = ({ data }) => this.#read([...new Uint8Array(data as ArrayBuffer)]);
  }

  send(bytes: Uint8Array): void {
    if (this.#socket.readyState === 1) this.#socket.send(bytes);
  }

  close(): void {
    this.#socket.close();
  }

  async until(isSo: (client: this) => boolean): Promise<void> {
    while (!isSo(this)) await new Promise((resolve) => this.#came.once('more', resolve));
  }

  #read(bytes: number[]): void {
    for (let at = 0; at < bytes.length; at += 2 + (bytes[at + 1] as number)) {
      const [first = 0, length = 0] = bytes.slice(at, at + 2);
      const body = bytes.slice(at + 2, at + 2 + length);
      if (first >> 4 === 3) {
        this.payloads.push(body.at(-1) as number);
        const qos = (first >> 1) & 3;
        const topicBytes = 2 + (body[1] as number);
        if (qos > 0) this.send(packet(qos === 1 ? 0x40 : 0x50, ...body.slice(topicBytes, topicBytes + 2)));
      } else {
        // PUBREL is answered by PUBCOMP.
        if (first >> 4 === 6) this.send(packet(0x70, ...body));
        this.acks.push(`${first >> 4}:${body[1]}`);
      }
    }
    this.#came.emit('more');
  }
}

const IN = [1, 2, 3, 4];
const OUT = [5, 6, 7, 8];
/** Odd ones have QoS 1, even ones QoS 2. */
const qosOf = (n: number) => (n % 2 === 0 ? 2 : 1);
const TOPICS = [
  { filter: 'in', direction: 'in' },
  { filter: 'out', direction: 'out' },
] as const;

const remotes: Remote[] = [];
afterEach(async () => {
  for (const remote of remotes.splice(0)) await remote.close();
});

const page = async (indexedDB: IDBFactory, url: string) => {
  const broker = await create({ storage: 'idb:page', indexedDB, locks: null });
  const events = bridgeEvents(broker);
  return { broker, events, options: over(url, { topics: [...TOPICS], webSocket: life.webSocket }) };
};

/** Waits until something is so, and looks whenever packets were dealt with. A page that died deals with nothing. */
async function settled(broker: Broker, isSo: () => boolean | undefined): Promise<void> {
  const came = new EventEmitter();
  const stop = broker.on('packet', () => came.emit('packet'));
  for (;;) {
    const packet = new Promise((resolve) => came.once('packet', resolve));
    await broker.idle();
    if (isSo()) break;
    await packet;
  }
  stop();
}

/** A page with a subscriber that has left and a publisher; gives what that was promised until the page died, if it did. */
async function firstLife(indexedDB: IDBFactory, url: string, far: Broker) {
  const { broker, events, options } = await page(indexedDB, url);
  let pub: Client | undefined;
  let sent = false;
  const story = async () => {
    const sub = new Client(broker, 'sub');
    await sub.until(({ acks }) => acks.includes('2:0'));
    sub.send(packet(0x82, 0, 1, ...text('in'), 2));
    await sub.until(({ acks }) => acks.includes('9:1'));
    sub.close();
    await broker.bridge(options);
    await events.next('up');
    await settled(far, () => far.inspect('page')?.subscriptions.length === 1);
    sent = true;
    for (const n of IN) far.publish('in', Uint8Array.of(n), { qos: qosOf(n) });
    pub = new Client(broker, 'pub');
    await pub.until(({ acks }) => acks.includes('2:0'));
    for (const n of OUT) {
      const qos = qosOf(n);
      pub.send(packet(0x30 | (qos << 1), ...text('out'), 0, n, n));
      await pub.until(({ acks }) => acks.includes(`${qos === 1 ? 4 : 5}:${n}`));
      if (qos === 2) pub.send(packet(0x62, 0, n));
      if (qos === 2) await pub.until(({ acks }) => acks.includes(`7:${n}`));
    }
    const isOver = () => {
      const session = broker.inspect('$bridge/remote');
      return session?.queue.length === 0 && session.inFlight.length === 0 && session.receivedQos2 === 0;
    };
    await settled(broker, () => isOver() && broker.inspect('sub')?.queue.length === IN.length);
  };
  await Promise.race([story(), life.death]);
  const promised = OUT.filter((n) => pub?.acks.includes(`${qosOf(n) === 1 ? 4 : 5}:${n}`));
  return { broker, promised, sent };
}

test.each([
  ['and its last transaction is not written', false],
  ['and never hears that its last transaction is written', true],
])('a page dies after any transaction, %s', async (_, writesLast) => {
  let deaths = 0;
  for (let transactions = 1; ; transactions += 1) {
    const indexedDB = new IDBFactory();
    const far = await create();
    const remote = await pageRemote(far);
    remotes.push(remote);
    const there: number[] = [];
    const came = new EventEmitter();
    const hear = ({ payload }: Message) => came.emit('more', there.push(payload[0] as number));
    await far.subscribe('out', hear, { qos: 2 });

    life = new Life(transactions, writesLast);
    const first = life;
    const { promised, sent, broker: before } = await firstLife(indexedDB, remote.url, far);
    if (!first.dead) {
      // To close may take one more.
      first.left = Number.POSITIVE_INFINITY;
      await before.close();
      break;
    }
    deaths += 1;

    life = new Life(Number.POSITIVE_INFINITY, false);
    const { broker, events, options } = await page(indexedDB, remote.url);
    await broker.bridge(options);
    await events.next('up');
    const owed = sent ? IN : [];
    const sub = new Client(broker, 'sub');
    await sub.until(({ payloads }) => owed.every((n) => payloads.includes(n)));
    while (!promised.every((n) => there.includes(n))) await new Promise((resolve) => came.once('more', resolve));
    // Whatever came twice has come by now: all is acknowledged.
    const rests = () => {
      const session = broker.inspect('$bridge/remote');
      return session?.inFlight.length === 0 && session.queue.length === 0 && broker.inspect('sub')?.queue.length === 0;
    };
    await settled(broker, rests);
    await settled(far, () => far.inspect('page')?.inFlight.length === 0);
    const times = (heard: number[], n: number) => heard.filter((other) => other === n).length;
    const where = `after ${transactions} transactions`;
    for (const n of [...owed, ...promised].filter((each) => qosOf(each) === 2)) {
      expect([n, times(owed.includes(n) ? sub.payloads : there, n)], where).toEqual([n, 1]);
    }
    for (const n of [...IN, ...OUT]) {
      if (qosOf(n) === 2) expect(times(IN.includes(n) ? sub.payloads : there, n), where).toBeLessThanOrEqual(1);
    }
    sub.close();
    await broker.close();
    await far.close();
    first.bury();
    await before.close();
  }
  // Else the story has become shorter than what is to be shown.
  expect(deaths).toBeGreaterThan(10);
});
