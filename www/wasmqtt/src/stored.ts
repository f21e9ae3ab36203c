/**
 * What a broker with a storage has that others have not. The code behind it is loaded only by those who store something.
 */
import type { Core } from '../generated/wasmqtt.js';
import { restore, type Variant } from './core.js';
import type { Journal } from './storage/journal.js';
import type { Opened, StorageOptions } from './storage/open.js';

/** An open storage, with what keeps it. */
export interface Stored extends Opened {
  makeJournal: (...args: ConstructorParameters<typeof Journal>) => Journal;
}

/** Opens a storage; `undefined` for `memory:`. @throws what `openStorage` throws. */
export async function open(storage: string, options: StorageOptions): Promise<Stored | undefined> {
  if (storage === 'memory:') return undefined;
  const [{ openStorage }, { Journal }] = await Promise.all([
    import('./storage/open.js'),
    import('./storage/journal.js'),
  ]);
  const opened = await openStorage(storage, options);
  return opened && { ...opened, makeJournal: (...args) => new Journal(...args) };
}

/** A core as its log left it. */
export function restored(config: Variant, seed: Uint8Array, { log }: Opened): Core {
  return restore(config, seed, new Float64Array(log.lsns), log.records);
}
