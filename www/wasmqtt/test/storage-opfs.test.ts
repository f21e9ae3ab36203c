/** The store in the origin private file system, on files in memory: a crash after every single step of every write. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { appended, compacted, readLog } from '../src/storage/block.js';
import { openOpfs } from '../src/storage/opfs.js';

const record = (value: number) => Uint8Array.of(value);

/** Files that a test can cut off: after some steps nothing more reaches them, and the last write is only half there. */
class Files {
  files = new Map<string, Uint8Array>();
  steps = Number.POSITIVE_INFINITY;
  taken = 0;
  room = Number.POSITIVE_INFINITY;
  open = new Set<string>();

  step(): boolean {
    this.taken += 1;
    return this.taken <= this.steps;
  }

  handle(name: string) {
    if (this.open.has(name)) throw new DOMException('open', 'NoModificationAllowedError');
    this.open.add(name);
    const bytes = () => this.files.get(name) ?? new Uint8Array();
    return {
      getSize: () => bytes().length,
      read: (into: Uint8Array, { at }: { at: number }) => {
        into.set(bytes().subarray(at, at + into.length));
        return into.length;
      },
      write: (data: Uint8Array, { at }: { at: number }) => {
        const whole = this.step();
        if (!whole && this.taken > this.steps + 1) return data.length;
        const fits = Math.min(data.length, this.room - at);
        const written = whole ? data.subarray(0, fits) : data.subarray(0, data.length >> 1);
        const grown = new Uint8Array(Math.max(bytes().length, at + written.length));
        grown.set(bytes());
        grown.set(written, at);
        this.files.set(name, grown);
        return whole ? fits : data.length;
      },
      truncate: (size: number) => {
        if (this.step()) this.files.set(name, bytes().slice(0, size));
      },
      flush: () => {},
      close: () => void this.open.delete(name),
    };
  }

  /** The folder as it was left, for the next life. */
  afterwards(): Files {
    const files = new Files();
    files.files = new Map(this.files);
    return files;
  }

  install(): void {
    const folder = {
      keys: async function* (this: { files: Files }) {
        yield* [...this.files.files.keys()];
      }.bind({ files: this }),
      getFileHandle: async (name: string) => {
        if (!this.files.has(name) && this.step()) this.files.set(name, new Uint8Array());
        return { createSyncAccessHandle: async () => this.handle(name) };
      },
      removeEntry: async (name: string) => {
        if (this.step()) this.files.delete(name);
      },
      getDirectoryHandle: async () => folder,
    };
    vi.stubGlobal('navigator', { storage: { getDirectory: async () => folder } });
    vi.stubGlobal('DedicatedWorkerGlobalScope', {});
  }
}

const open = async (files: Files) => {
  files.install();
  return openOpfs('x', 'strict');
};

/** What the records of a store say. */
async function values(files: Files): Promise<number[]> {
  const store = await open(files);
  const log = readLog(await store.read(), 'opfs:x');
  store.close();
  return log.records.map((bytes) => bytes[0] as number);
}

describe('the origin private file system', () => {
  beforeEach(() => vi.unstubAllGlobals());
  afterEach(() => vi.unstubAllGlobals());

  /** Writes as a broker would; says what was done when each write had its answer. */
  async function story(files: Files, done: (state: number[]) => void): Promise<void> {
    const store = await open(files);
    await store.read();
    await store.append([appended(1, [record(1)])]);
    done([1]);
    await store.append([appended(2, [record(2), record(3)])]);
    done([1, 2, 3]);
    await store.replace(compacted(3, [record(9)]));
    done([9]);
    await store.append([appended(4, [record(4)])]);
    done([9, 4]);
    await store.replace(compacted(4, [record(8)]));
    done([8]);
  }

  test('a crash after any step loses nothing that was promised', async () => {
    const whole = new Files();
    await story(whole, () => {});
    expect(whole.taken).toBeGreaterThan(12);
    expect(await values(whole.afterwards())).toEqual([8]);
    for (let steps = 0; steps <= whole.taken; steps += 1) {
      const files = new Files();
      files.steps = steps;
      const states: number[][] = [[]];
      // After the crash the story goes on and sees nothing of it: what it is told then counts no more.
      await story(files, (state) => files.taken <= steps && states.push(state));
      const all = [[], [1], [1, 2, 3], [9], [9, 4], [8]];
      const next = all[states.length] ?? [8];
      expect([states.at(-1), next]).toContainEqual(await values(files.afterwards()));
    }
  });

  test('a torn end is dropped and said', async () => {
    const files = new Files();
    const store = await open(files);
    await store.append([appended(1, [record(1)])]);
    store.close();
    const [name, bytes] = [...files.files][0] as [string, Uint8Array];
    files.files.set(name, Uint8Array.of(...bytes, 40, 0, 0, 0, 1, 2, 3));
    const again = await open(files);
    expect(again.tornBytes).toBe(7);
    expect(await again.read()).toHaveLength(1);
    await again.append([appended(2, [record(2)])]);
    again.close();
    expect(await values(files)).toEqual([1, 2]);
  });

  test('without room nothing of a write is kept', async () => {
    const files = new Files();
    const store = await open(files);
    await store.append([appended(1, [record(1)])]);
    files.room = ([...files.files.values()][0] as Uint8Array).length + 10;
    await expect(store.append([appended(2, [record(2)])])).rejects.toMatchObject({ code: 'quota' });
    await expect(store.replace(compacted(2, [new Uint8Array(500)]))).rejects.toMatchObject({ code: 'quota' });
    files.room = Number.POSITIVE_INFINITY;
    await store.append([appended(2, [record(3)])]);
    store.close();
    expect(await values(files)).toEqual([1, 3]);
    expect(files.files.size).toBe(1);
  });

  test('a damaged file is let go of, so that it can be deleted', async () => {
    const files = new Files();
    files.files.set('2.log', new Uint8Array(64).fill(7));
    await expect(open(files)).rejects.toMatchObject({ code: 'damaged' });
    expect([...files.open]).toEqual([]);
  });

  test('two at once are refused', async () => {
    const files = new Files();
    await open(files);
    await expect(open(files)).rejects.toMatchObject({ code: 'busy' });
  });
});
