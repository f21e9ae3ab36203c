/**
 * A snapshot: what the core saved, with what only the page knows, its time and the links that were open.
 *
 * ```text
 * u32  "wqs1"     u32  number of links     f64  microseconds since 1970
 * u32  slot       u32  generation          of each link
 * ...             the core's state; all numbers little-endian
 * ```
 */
import type { LinkId } from './engine.js';

const MAGIC = 0x31_73_71_77;
const HEAD_BYTES = 16;
const LINK_BYTES = 8;

/** What stands in a snapshot. */
export interface Snapshot {
  /** Microseconds since 1970. */
  now: number;
  /** Links that were open. */
  links: LinkId[];
  /** What the core saved. */
  saved: Uint8Array;
}

/** A snapshot as bytes. */
export function packSnapshot({ now, links, saved }: Snapshot): Uint8Array {
  const headBytes = HEAD_BYTES + LINK_BYTES * links.length;
  const snapshot = new Uint8Array(headBytes + saved.length);
  const head = new DataView(snapshot.buffer);
  head.setUint32(0, MAGIC, true);
  head.setUint32(4, links.length, true);
  head.setFloat64(8, now, true);
  for (const [at, { slot, generation }] of links.entries()) {
    head.setUint32(HEAD_BYTES + LINK_BYTES * at, slot, true);
    head.setUint32(HEAD_BYTES + LINK_BYTES * at + 4, generation, true);
  }
  snapshot.set(saved, headBytes);
  return snapshot;
}

/** A snapshot from its bytes. @throws Error if they are none; whether the core's part is whole, the core says. */
export function unpackSnapshot(snapshot: Uint8Array): Snapshot {
  const head = new DataView(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength);
  const isOne = snapshot.length >= HEAD_BYTES && head.getUint32(0, true) === MAGIC;
  const count = isOne ? head.getUint32(4, true) : 0;
  const headBytes = HEAD_BYTES + LINK_BYTES * count;
  if (!isOne || snapshot.length < headBytes) throw new Error('wasmqtt: this is no snapshot');
  const links = Array.from({ length: count }, (_, at) => ({
    slot: head.getUint32(HEAD_BYTES + LINK_BYTES * at, true),
    generation: head.getUint32(HEAD_BYTES + LINK_BYTES * at + 4, true),
  }));
  return { now: head.getFloat64(8, true), links, saved: snapshot.subarray(headBytes) };
}
