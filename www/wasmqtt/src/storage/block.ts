/**
 * Records in blocks, and blocks in files. A block is what one turn of the core wrote, or a piece of a compacted log; it
 * bears the place of its records in the log and a checksum, so that a log with a hole, a changed byte or a missing end
 * is never taken for a whole one. The same blocks stand in IndexedDB, in the file of the origin private file system and
 * in an exported file. Numbers are little-endian:
 *
 * ```text
 * block   CRC-32 of the rest, u32 | kind, u8 | lsn, u64 | records, each: length as u32, bytes
 *   kind 0  appended: the first record bears `lsn`, the others those after it
 *   kind 1  compacted: every record bears `lsn`, the place at which the core was asked for its records
 *   kind 2  the end of a compacted log: no records, but their number as u32
 * file    "wasmqtt\n" | format, u32 | length of the next, u32 | who wrote it, JSON | CRC-32 of all before, u32
 *         | blocks, each: length as u32, bytes
 * ```
 */
import { BUILD, STORE_FORMAT, StoreError } from './store.js';

/** A log as the core takes it: the place and the bytes of each record. */
export interface Log {
  /** The place of each record. */
  lsns: number[];
  /** Each record as the core wrote it. */
  records: Uint8Array[];
  /** Bytes of all blocks. */
  bytes: number;
  /** Bytes of the compacted log that it begins with. */
  compactedBytes: number;
}

const HEAD = 13;
const APPENDED = 0;
const COMPACTED = 1;
const END = 2;
const MAGIC = 'wasmqtt\n';
/** A compacted log is cut into blocks of about this many bytes. */
const BLOCK_BYTES = 256 << 10;

let table: Uint32Array | undefined;

/** CRC-32 as everybody has it (IEEE 802.3). */
export function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let crc = n;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  });
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] as number);
  return (crc ^ 0xffffffff) >>> 0;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function block(kind: number, lsn: number, records: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + 4 + record.length, HEAD));
  const at = view(bytes);
  bytes[4] = kind;
  at.setBigUint64(5, BigInt(lsn), true);
  let offset = HEAD;
  for (const record of records) {
    at.setUint32(offset, record.length, true);
    bytes.set(record, offset + 4);
    offset += 4 + record.length;
  }
  at.setUint32(0, crc32(bytes.subarray(4)), true);
  return bytes;
}

/** The block of records that were appended one after the other, the first of them at `lsn`. */
export function appended(lsn: number, records: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return block(APPENDED, lsn, records);
}

/** The blocks of a compacted log that was asked for at `lsn`. */
export function compacted(lsn: number, records: Uint8Array[]): Uint8Array<ArrayBuffer>[] {
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  let from = 0;
  let bytes = 0;
  for (const [index, record] of records.entries()) {
    bytes += record.length;
    if (bytes < BLOCK_BYTES && index + 1 < records.length) continue;
    blocks.push(block(COMPACTED, lsn, records.slice(from, index + 1)));
    from = index + 1;
    bytes = 0;
  }
  const count = new Uint8Array(4);
  view(count).setUint32(0, records.length, true);
  blocks.push(block(END, lsn, [count]));
  return blocks;
}

/** Whether a block is whole. */
export function isWhole(bytes: Uint8Array): boolean {
  return bytes.length >= HEAD && view(bytes).getUint32(0, true) === crc32(bytes.subarray(4));
}

/**
 * Reads blocks back, oldest first; `where` names them in errors, and `advice` says what to do.
 * @throws StoreError `damaged` if a block is not whole or one is missing.
 */
export function readLog(blocks: Uint8Array[], where: string, advice = ''): Log {
  const log: Log = { lsns: [], records: [], bytes: 0, compactedBytes: 0 };
  const damaged = (index: number, what: string) =>
    new StoreError(
      'damaged',
      `${where} is damaged: block ${index + 1} of ${blocks.length} ${what}. Nothing was changed.${advice}`,
    );
  let last = 0;
  let open = false;
  for (const [index, bytes] of blocks.entries()) {
    if (!isWhole(bytes)) throw damaged(index, 'does not have its checksum');
    const [kind, lsn, records] = unpack(bytes, () => damaged(index, 'has a wrong length'));
    log.bytes += bytes.length;
    if (kind === APPENDED && !open && lsn === last + 1) {
      last += records.length;
    } else if (kind === COMPACTED && (index === 0 || (open && lsn === last))) {
      last = lsn;
      open = true;
    } else if (kind === END && ((open && lsn === last) || index === 0) && count(records) === log.records.length) {
      last = lsn;
      open = false;
      log.compactedBytes = log.bytes;
      continue;
    } else {
      throw damaged(index, `does not follow the one before it (kind ${kind}, place ${lsn} after ${last})`);
    }
    for (const [at, record] of records.entries()) {
      log.lsns.push(kind === APPENDED ? lsn + at : lsn);
      log.records.push(record);
    }
  }
  if (open) throw damaged(blocks.length, 'is missing: the compacted log has no end');
  return log;
}

function count(records: Uint8Array[]): number | undefined {
  const [only] = records;
  return only?.length === 4 ? view(only).getUint32(0, true) : undefined;
}

function unpack(bytes: Uint8Array, damaged: () => StoreError): [number, number, Uint8Array[]] {
  const at = view(bytes);
  const records: Uint8Array[] = [];
  let offset = HEAD;
  while (offset < bytes.length) {
    const end = offset + 4 <= bytes.length ? offset + 4 + at.getUint32(offset, true) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) throw damaged();
    records.push(bytes.subarray(offset + 4, end));
    offset = end;
  }
  return [bytes[4] as number, Number(at.getBigUint64(5, true)), records];
}

/** What a file begins with. */
export function fileHead(): Uint8Array<ArrayBuffer> {
  const who = new TextEncoder().encode(JSON.stringify({ build: BUILD, written: new Date().toISOString() }));
  const head = new Uint8Array(MAGIC.length + 8 + who.length + 4);
  const at = view(head);
  head.set(new TextEncoder().encode(MAGIC));
  at.setUint32(MAGIC.length, STORE_FORMAT, true);
  at.setUint32(MAGIC.length + 4, who.length, true);
  head.set(who, MAGIC.length + 8);
  at.setUint32(head.length - 4, crc32(head.subarray(0, -4)), true);
  return head;
}

/** Whether a file ends before its head does. */
export function isHeadless(bytes: Uint8Array): boolean {
  const start = MAGIC.length + 8;
  return bytes.length < start || bytes.length < start + view(bytes).getUint32(MAGIC.length + 4, true) + 4;
}

/** A block as it stands in a file. */
export function framed(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(4 + bytes.length);
  view(frame).setUint32(0, bytes.length, true);
  frame.set(bytes, 4);
  return frame;
}

/**
 * Takes a file apart. `torn` is how many bytes at its end are no whole block: what was being written at a crash, which
 * nobody was promised, or, in an exported file, damage.
 * @throws StoreError `damaged` if it is no such file, `newer` if a newer build wrote it.
 */
export function readFile(bytes: Uint8Array, where: string): { blocks: Uint8Array[]; torn: number } {
  const at = view(bytes);
  const start = MAGIC.length + 8;
  const text = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to));
  if (bytes.length < start || text(0, MAGIC.length) !== MAGIC) {
    throw new StoreError('damaged', `${where} is not a file of wasmqtt: it does not begin with "wasmqtt".`);
  }
  const end = start + at.getUint32(MAGIC.length + 4, true);
  if (end + 4 > bytes.length || at.getUint32(end, true) !== crc32(bytes.subarray(0, end))) {
    throw new StoreError('damaged', `${where} is damaged: its head does not have its checksum.`);
  }
  checkFormat(at.getUint32(MAGIC.length, true), text(start, end), where);
  const blocks: Uint8Array[] = [];
  let offset = end + 4;
  while (offset + 4 <= bytes.length) {
    const next = offset + 4 + at.getUint32(offset, true);
    if (next > bytes.length) break;
    const piece = bytes.subarray(offset + 4, next);
    // A whole one that is wrong is damage, unless it is the last: a crash may leave its room without its bytes.
    if (next === bytes.length && !isWhole(piece)) break;
    blocks.push(piece);
    offset = next;
  }
  return { blocks, torn: bytes.length - offset };
}

/**
 * Checks that this build can read what another wrote.
 * @throws StoreError `newer`.
 */
export function checkFormat(format: number, who: string, where: string): void {
  if (format <= STORE_FORMAT) return;
  throw new StoreError(
    'newer',
    `${where} was written by a newer build (format ${format}, ${who}); this build, ${BUILD}, reads up to format ${STORE_FORMAT}. Reload the page to get the newer one. Nothing was changed.`,
  );
}
