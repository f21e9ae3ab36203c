/** When the journal writes what, against a store that does what the test says. */
import { beforeEach, describe, expect, test } from 'vitest';
import { readLog } from '../src/storage/block.js';
import { Journal, type StorageEvent } from '../src/storage/journal.js';
import { type Call, FakeStore, task } from './fakes/store.js';

const bytes = (length: number) => new Uint8Array(length);
const empty = { lsns: [], records: [], bytes: 0, compactedBytes: 0 };

describe('the journal', () => {
  let store: FakeStore;
  let journal: Journal;
  let heard: (string | number)[][];
  let events: StorageEvent[];
  let timers: { ms: number; call: () => void }[];
  /** What the core would say if it were asked for its records. */
  let state: Uint8Array[];
  /** What the turn that is open will append when it is ended. */
  let open: (() => void) | undefined;

  beforeEach(() => {
    store = new FakeStore();
    heard = [];
    events = [];
    timers = [];
    state = [bytes(10)];
    open = undefined;
    const source = {
      settle: () => {
        open?.();
        open = undefined;
      },
      records: () => state,
      stored: (upto: number) => heard.push(['stored', upto]),
      failed: (from: number) => heard.push(['failed', from]),
    };
    const timer = {
      after: (ms: number, call: () => void) => {
        const entry = { ms, call };
        timers.push(entry);
        return () => {
          timers = timers.filter((other) => other !== entry);
        };
      },
    };
    journal = new Journal(store, empty, source, (event) => events.push(event), { compactBytesMin: 1000, timer });
  });

  const call = (kind: Call['kind']) => {
    expect(store.calls.map((waiting) => waiting.kind)).toEqual([kind]);
    return store.calls[0] as Call;
  };
  const types = () => events.map((event) => event.type);

  test('says stored when the write is complete, and not before', async () => {
    journal.append([1, 2], [bytes(1), bytes(2)]);
    await task();
    expect(heard).toEqual([]);
    await call('append').complete();
    expect(heard).toEqual([['stored', 2]]);
  });

  test('turns that come while it writes are written together, each a block', async () => {
    journal.append([1], [bytes(1)]);
    journal.append([2, 3], [bytes(1), bytes(1)]);
    journal.append([4], [bytes(1)]);
    await call('append').complete();
    expect(heard).toEqual([['stored', 1]]);
    expect(call('append').blocks).toHaveLength(2);
    await call('append').complete();
    expect(heard).toEqual([
      ['stored', 1],
      ['stored', 4],
    ]);
    expect(readLog(store.kept, 'x').lsns).toEqual([1, 2, 3, 4]);
  });

  test('a log twice as long as its records is written anew, in one call', async () => {
    for (let lsn = 1; lsn <= 29; lsn += 1) {
      journal.append([lsn], [bytes(50)]);
      await store.calls[0]?.complete();
      await store.calls[0]?.complete();
    }
    expect(types()).toEqual(['compacted']);
    expect(heard.at(-1)).toEqual(['stored', 29]);
    const log = readLog(store.kept, 'x');
    expect(log.lsns.slice(0, 2)).toEqual([15, 16]);
    expect(log.lsns.at(-1)).toBe(29);
  });

  test('a large state is not written anew for a small change', async () => {
    state = [bytes(5000)];
    let appendedBytes = 0;
    for (let lsn = 1; lsn <= 200; lsn += 1) {
      journal.append([lsn], [bytes(50)]);
      appendedBytes += 67;
      while (store.calls[0] !== undefined) await store.calls[0].complete();
    }
    const compactions = events.filter((event) => event.type === 'compacted').length;
    expect(compactions).toBe(1 + Math.floor((appendedBytes - 1000) / 5000));
  });

  test('a failure is told from the first record that is not stored; the log is written anew later', async () => {
    journal.append([1], [bytes(1)]);
    await call('append').complete();
    journal.append([2], [bytes(1)]);
    journal.append([3], [bytes(1)]);
    await call('append').refuse('failed');
    expect(heard).toEqual([
      ['stored', 1],
      ['failed', 2],
    ]);
    expect(types()).toEqual(['failed']);
    journal.append([4], [bytes(1)]);
    await task();
    expect(store.calls).toEqual([]);
    expect(timers.map(({ ms }) => ms)).toEqual([1000]);
    // A turn is open when the time comes: its records belong into the state that is written.
    open = () => journal.append([5], [bytes(1)]);
    timers[0]?.call();
    const replace = call('replace');
    journal.append([6], [bytes(1)]);
    await replace.complete();
    expect(types()).toEqual(['failed', 'recovered']);
    expect(heard.at(-1)).toEqual(['stored', 5]);
    await call('append').complete();
    expect(heard.at(-1)).toEqual(['stored', 6]);
    expect(readLog(store.kept, 'x').lsns).toEqual([5, 6]);
  });

  test('tries again ever more slowly, and at once when asked to', async () => {
    journal.append([1], [bytes(1)]);
    await call('append').refuse('failed');
    for (const ms of [1000, 2000, 4000]) {
      expect(timers.at(-1)?.ms).toBe(ms);
      timers.at(-1)?.call();
      await call('replace').refuse('failed');
    }
    expect(heard).toEqual(Array(4).fill(['failed', 1]));
    const waiting = timers.length;
    const retried = journal.retry();
    expect(timers.length).toBe(waiting - 1);
    await call('replace').complete();
    await retried;
    expect(journal.broken).toBe(false);
  });

  test('without room the log is made shorter before anybody hears of it', async () => {
    journal.append([1], [bytes(1)]);
    await call('append').refuse('quota');
    await call('replace').complete();
    expect(heard).toEqual([['stored', 1]]);
    expect(types()).toEqual(['compacted']);
  });

  test('without room for that either, it is a failure', async () => {
    journal.append([1], [bytes(1)]);
    await call('append').refuse('quota');
    await call('replace').refuse('quota');
    expect(heard).toEqual([['failed', 1]]);
    expect(events.at(-1)).toMatchObject({ type: 'failed', error: { code: 'quota' } });
  });

  test('a store that is lost is never written to again', async () => {
    journal.append([1], [bytes(1)]);
    await call('append').refuse('lost');
    expect(types()).toEqual(['lost']);
    expect(heard).toEqual([['failed', 1]]);
    expect(timers).toEqual([]);
    journal.append([2], [bytes(1)]);
    await journal.retry();
    expect(store.calls).toEqual([]);
  });

  test('closing ends the turn, waits for what is written and lets the store go', async () => {
    open = () => journal.append([1], [bytes(1)]);
    const closed = journal.close();
    expect(store.closed).toBe(false);
    await call('append').complete();
    await closed;
    expect(store.closed).toBe(true);
    expect(heard).toEqual([['stored', 1]]);
  });
});
