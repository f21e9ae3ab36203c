/**
 * The state of a broker as a file: the compacted log with a head, checksums and an end, so that a file that was cut or
 * changed on its way is refused. Another browser, or a newer build, reads it back. Loaded when it is needed.
 */
import { compacted, fileHead, framed, type Log, readFile, readLog } from './block.js';
import { StoreError } from './store.js';

const WHERE = 'the imported file';

/** The records of a broker, asked for at `lsn`, as a file. */
export function exportLog(lsn: number, records: Uint8Array[]): Blob {
  return new Blob([fileHead(), ...compacted(lsn, records).map(framed)], { type: 'application/octet-stream' });
}

/**
 * Reads such a file.
 * @throws StoreError `damaged` if it is none or not whole, `newer` if a newer build wrote it.
 */
export async function importLog(file: Uint8Array | ArrayBuffer | Blob): Promise<Log> {
  const bytes =
    file instanceof Uint8Array ? file : new Uint8Array(file instanceof ArrayBuffer ? file : await file.arrayBuffer());
  const { blocks, torn } = readFile(bytes, WHERE);
  if (torn > 0) throw new StoreError('damaged', `${WHERE} is not whole: its last ${torn} bytes are no block.`);
  const log = readLog(blocks, WHERE);
  if (log.compactedBytes === 0) throw new StoreError('damaged', `${WHERE} is not whole: it has no end.`);
  return log;
}
