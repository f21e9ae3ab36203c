/**
 * A store in the origin private file system: a folder `wasmqtt/NAME` with the file `N.log`, written through a sync
 * access handle, which only dedicated workers have. A replacement is a new file with the next number, whole and on the
 * disk before the older one is deleted; a file without the end of its compacted log never counted. Loaded when it is
 * needed.
 */
import { fileHead, framed, isHeadless, isWhole, readFile } from './block.js';
import { type Durability, type Store, StoreError } from './store.js';

/** The part of a sync access handle that is used here. */
interface Handle {
  getSize(): number;
  read(into: Uint8Array, at: { at: number }): number;
  write(bytes: Uint8Array, at: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

type Folder = FileSystemDirectoryHandle & { keys(): AsyncIterable<string> };
type File = FileSystemFileHandle & { createSyncAccessHandle?(): Promise<Handle> };

const END = 2;

/**
 * Opens a store, new or old.
 * @throws StoreError `unavailable` outside a dedicated worker, `busy`, `newer`, `damaged` or `failed`.
 */
export async function openOpfs(name: string, durability: Durability): Promise<Store & { tornBytes: number }> {
  const where = `opfs:${name}`;
  const folder = await folderOf(name, where, true);
  const numbers: number[] = [];
  for await (const file of folder.keys()) {
    const [, number] = /^(\d+)\.log$/.exec(file) ?? [];
    if (number !== undefined) numbers.push(Number(number));
  }
  numbers.sort((a, b) => b - a);
  const store = new OpfsStore(folder, where, durability);
  try {
    // The newest that is whole; one above it is what a crash left of a replacement.
    for (const [index, number] of numbers.entries()) {
      if (await store.enter(number, index + 1 === numbers.length)) break;
    }
    if (numbers.length === 0) await store.replace([]);
  } catch (error) {
    store.close();
    throw failure(error, where);
  }
  await store.forgetOthers(numbers);
  return store;
}

/** Deletes a store and all in it. */
export async function deleteOpfs(name: string): Promise<void> {
  const where = `opfs:${name}`;
  try {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('wasmqtt');
    await root.removeEntry(name, { recursive: true });
  } catch (error) {
    if ((error as Error)?.name !== 'NotFoundError') throw failure(error, where);
  }
}

async function folderOf(name: string, where: string, create: boolean): Promise<Folder> {
  const worker = (globalThis as { DedicatedWorkerGlobalScope?: unknown }).DedicatedWorkerGlobalScope;
  if (worker === undefined || globalThis.navigator?.storage?.getDirectory === undefined) {
    throw new StoreError(
      'unavailable',
      `'${where}': the origin private file system can be used from a dedicated worker only, in a secure context. Create the broker in a Worker, or use 'idb:${name}'.`,
    );
  }
  try {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('wasmqtt', { create });
    return (await root.getDirectoryHandle(name, { create })) as Folder;
  } catch (error) {
    throw failure(error, where);
  }
}

function failure(error: unknown, where: string): StoreError {
  if (error instanceof StoreError) return error;
  const name = (error as Error)?.name;
  if (name === 'QuotaExceededError') return new StoreError('quota', `'${where}': no room is left.`, error);
  if (name === 'NoModificationAllowedError') {
    return new StoreError('busy', `'${where}' is open in another broker of this origin. Use another name.`, error);
  }
  return new StoreError('failed', `'${where}': ${String(error)}`, error);
}

class OpfsStore implements Store {
  onlost: ((error: StoreError) => void) | undefined;
  tornBytes = 0;
  #folder: Folder;
  #where: string;
  #strict: boolean;
  #number = 0;
  #handle: Handle | undefined;
  #size = 0;
  #blocks: Uint8Array[] = [];

  constructor(folder: Folder, where: string, durability: Durability) {
    this.#folder = folder;
    this.#where = where;
    this.#strict = durability === 'strict';
  }

  /** Opens one file. `false`: it is the beginning of a replacement that a crash ended, and there is an older one. */
  async enter(number: number, oldest: boolean): Promise<boolean> {
    const handle = await this.#open(number);
    // At once, so that `close` lets go of it, whatever stands in it.
    this.#handle = handle;
    const bytes = new Uint8Array(handle.getSize());
    handle.read(bytes, { at: 0 });
    const headless = isHeadless(bytes) && bytes.length < fileHead().length;
    // The first file of all, and a crash before its head was there: nothing was promised yet.
    if (headless && number === 1) write(handle, [fileHead()], 0);
    const { blocks, torn } =
      headless && (number === 1 || !oldest) ? { blocks: [], torn: 0 } : readFile(bytes, `'${this.#where}'`);
    if (!oldest && !blocks.some((block) => isWhole(block) && block[4] === END)) {
      this.close();
      return false;
    }
    this.#number = number;
    this.#size = handle.getSize() - torn;
    this.tornBytes = torn;
    this.#blocks = blocks;
    return true;
  }

  /** Removes what replacements left. */
  async forgetOthers(numbers: number[]): Promise<void> {
    for (const number of numbers) {
      if (number !== this.#number) await this.#folder.removeEntry(`${number}.log`).catch(() => {});
    }
  }

  async read(): Promise<Uint8Array[]> {
    if (this.tornBytes > 0) this.#handle?.truncate(this.#size);
    return this.#blocks.splice(0);
  }

  async append(blocks: Uint8Array[]): Promise<void> {
    const handle = this.#handle;
    if (handle === undefined) throw new StoreError('lost', `'${this.#where}' is closed.`);
    try {
      this.#size += write(handle, blocks.map(framed), this.#size);
      if (this.#strict) handle.flush();
    } catch (error) {
      // What was written of it must not be taken for a block.
      try {
        handle.truncate(this.#size);
      } catch {
        // It stays as a torn end, which readers drop.
      }
      throw failure(error, this.#where);
    }
  }

  async replace(blocks: Uint8Array[]): Promise<void> {
    const number = this.#number + 1;
    let handle: Handle | undefined;
    try {
      handle = await this.#open(number);
      handle.truncate(0);
      const size = write(handle, [fileHead(), ...blocks.map(framed)], 0);
      handle.flush();
      const old = this.#handle === undefined ? undefined : this.#number;
      this.#handle?.close();
      this.#handle = handle;
      this.#number = number;
      this.#size = size;
      if (old !== undefined) await this.#folder.removeEntry(`${old}.log`).catch(() => {});
    } catch (error) {
      handle?.close();
      await this.#folder.removeEntry(`${number}.log`).catch(() => {});
      throw failure(error, this.#where);
    }
  }

  close(): void {
    this.#handle?.close();
    this.#handle = undefined;
  }

  async #open(number: number): Promise<Handle> {
    const file = (await this.#folder.getFileHandle(`${number}.log`, { create: true })) as File;
    if (file.createSyncAccessHandle === undefined) {
      throw new StoreError('unavailable', `'${this.#where}': this browser gives no sync access handles here.`);
    }
    return file.createSyncAccessHandle();
  }
}

/** Writes all or throws; gives the number of bytes. */
function write(handle: Handle, pieces: Uint8Array[], at: number): number {
  let written = 0;
  for (const piece of pieces) {
    const count = handle.write(piece, { at: at + written });
    if (count < piece.length)
      throw new DOMException('the file system took fewer bytes than given', 'QuotaExceededError');
    written += count;
  }
  return written;
}
