/**
 * How a user names a storage. It stands apart from what opens one, which is loaded only by those who store something.
 */

/** A storage as its user names it. */
export type StorageName = 'memory:' | `idb:${string}` | `opfs:${string}`;

/** A name, taken apart. */
export interface Parsed {
  kind: 'memory' | 'idb' | 'opfs';
  name: string;
}

/**
 * Reads the name of a storage.
 * @throws TypeError if it is none.
 */
export function parseStorage(storage: unknown): Parsed {
  const [, kind, name] = /^(memory|idb|opfs):(.*)$/s.exec(typeof storage === 'string' ? storage : '') ?? [];
  if (
    kind === undefined ||
    name === undefined ||
    (kind === 'memory') !== (name === '') ||
    !/^[^/\\]{0,100}$/.test(name)
  ) {
    throw new TypeError(
      `storage: ${JSON.stringify(storage)} is not allowed; it is 'memory:', 'idb:NAME' or 'opfs:NAME' with a name of 1 to 100 characters without slashes`,
    );
  }
  return { kind: kind as Parsed['kind'], name };
}
