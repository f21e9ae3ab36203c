/** A page, and with `?worker` in its URL a dedicated worker, in which a test opens stores. */
import { appended } from '../../../src/storage/block.js';
import { destroyStorage, type Opened, openStorage, type StorageOptions } from '../../../src/storage/open.js';

const open = new Map<string, Opened>();

/** What a test can call; in a page it is `storage`, in a worker it is called by messages. */
export const functions = {
  async open(name: string, options: StorageOptions = {}): Promise<number[]> {
    const opened = await openStorage(name, options);
    if (opened === undefined) return [];
    open.set(name, opened);
    return opened.log.records.map((record) => record[0] as number);
  },
  /** Keeps a record; resolves when it is as sure as asked. */
  async append(name: string, lsn: number, value: number): Promise<void> {
    await open.get(name)?.store.append([appended(lsn, [Uint8Array.of(value)])]);
  },
  async replace(name: string, values: number[]): Promise<void> {
    await open.get(name)?.store.replace(values.map((value, index) => appended(index + 1, [Uint8Array.of(value)])));
  },
  async close(name: string): Promise<void> {
    open.get(name)?.store.close();
    await open.get(name)?.release();
  },
  destroy: (name: string) => destroyStorage(name),
};

/** A function's result or the code and message of its error. */
async function call(name: keyof typeof functions, args: unknown[]): Promise<unknown> {
  try {
    return await (functions[name] as (...args: unknown[]) => unknown)(...args);
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`;
  }
}

if ('document' in globalThis) {
  const worker = new Worker('/storage.js', { type: 'module' });
  let calls = 0;
  const inWorker = (name: string, args: unknown[]) =>
    new Promise((resolve) => {
      const id = ++calls;
      worker.addEventListener('message', ({ data }) => data.id === id && resolve(data.result));
      worker.postMessage({ id, name, args });
    });
  Object.assign(globalThis, { call, inWorker, killWorker: () => worker.terminate(), ready: true });
} else {
  globalThis.addEventListener('message', async ({ data }) => {
    globalThis.postMessage({ id: data.id, result: await call(data.name, data.args) });
  });
}
