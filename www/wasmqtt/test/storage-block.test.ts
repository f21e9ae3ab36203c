/** Blocks and files: their bytes by hand, and that no damage is taken for a whole log. */
import { describe, expect, test } from 'vitest';
import { appended, compacted, crc32, framed, readFile, readLog } from '../src/storage/block.js';
import { exportLog, importLog } from '../src/storage/file.js';

const record = (...bytes: number[]) => Uint8Array.from(bytes);
const code = (call: () => unknown) => {
  try {
    call();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return 'no error';
};

describe('blocks', () => {
  test('the checksum is CRC-32 as everybody has it', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  });

  test('a block is what its file says', () => {
    const block = appended(258, [record(0xaa, 0xbb), record()]);
    expect([...block.subarray(4)]).toEqual([0, 2, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0xaa, 0xbb, 0, 0, 0, 0]);
    expect(new DataView(block.buffer).getUint32(0, true)).toBe(crc32(block.subarray(4)));
  });

  test('records come back with their places', () => {
    const log = readLog(
      [...compacted(7, [record(1), record(2)]), appended(8, [record(3), record(4)]), appended(10, [record(5)])],
      'idb:x',
    );
    expect(log.lsns).toEqual([7, 7, 8, 9, 10]);
    expect(log.records.map((bytes) => bytes[0])).toEqual([1, 2, 3, 4, 5]);
    expect(log.compactedBytes).toBeLessThan(log.bytes);
  });

  test('a large compacted log is cut into several blocks', () => {
    const records = Array.from({ length: 5 }, (_, n) => new Uint8Array(200 << 10).fill(n));
    const blocks = compacted(3, records);
    expect(blocks.length).toBeGreaterThan(2);
    expect(readLog(blocks, 'idb:x').records).toEqual(records);
  });

  test('a changed bit anywhere is damage', () => {
    const blocks = [...compacted(7, [record(1, 2, 3)]), appended(8, [record(4)])];
    for (const [index, block] of blocks.entries()) {
      for (let at = 0; at < block.length; at += 1) {
        const changed = blocks.map((other) => other.slice());
        (changed[index] as Uint8Array)[at] = (block[at] as number) ^ 4;
        expect(code(() => readLog(changed, 'idb:x'))).toBe('damaged');
      }
    }
  });

  test('a missing block is damage', () => {
    const blocks = [...compacted(7, [record(1)]), appended(8, [record(2)]), appended(9, [record(3)])];
    for (const missing of [0, 1, 2])
      expect(
        code(() =>
          readLog(
            blocks.filter((_, n) => n !== missing),
            'idb:x',
          ),
        ),
      ).toBe('damaged');
    expect(code(() => readLog([appended(2, [record(1)])], 'idb:x'))).toBe('damaged');
    expect(code(() => readLog(blocks.slice(0, 1), 'idb:x'))).toBe('damaged');
  });
});

describe('files', () => {
  const records = [record(1, 2), record(3)];

  test('an exported state comes back', async () => {
    const log = await importLog(exportLog(9, records));
    expect(log.lsns).toEqual([9, 9]);
    expect(log.records).toEqual(records);
  });

  test('a file that was cut anywhere is refused', async () => {
    const bytes = new Uint8Array(await exportLog(9, records).arrayBuffer());
    for (let length = 0; length < bytes.length; length += 1) {
      await expect(importLog(bytes.slice(0, length))).rejects.toMatchObject({ code: 'damaged' });
    }
  });

  test('a file with a changed bit is refused', async () => {
    const bytes = new Uint8Array(await exportLog(9, records).arrayBuffer());
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = bytes.slice();
      changed[at] = (bytes[at] as number) ^ 1;
      await expect(importLog(changed)).rejects.toMatchObject({ code: expect.stringMatching('damaged|newer') });
    }
  });

  test('a file of a newer build is refused as such', async () => {
    const bytes = new Uint8Array(await exportLog(9, records).arrayBuffer());
    const at = new DataView(bytes.buffer);
    at.setUint32(8, 2, true);
    const end = 16 + at.getUint32(12, true);
    at.setUint32(end, crc32(bytes.subarray(0, end)), true);
    await expect(importLog(bytes)).rejects.toMatchObject({ code: 'newer' });
  });

  test('a torn end is known from damage before it', async () => {
    const head = new Uint8Array(await exportLog(1, []).arrayBuffer()).slice(0, -(4 + 13 + 8));
    const file = (...pieces: Uint8Array[]) => Uint8Array.from([head, ...pieces].flatMap((piece) => [...piece]));
    const [first, second] = [framed(appended(1, [record(1)])), framed(appended(2, [record(2)]))];
    expect(readFile(file(first, second.slice(0, -1)), 'x')).toMatchObject({ torn: second.length - 1 });
    const zeros = second.slice().fill(0, 4);
    expect(readFile(file(first, zeros), 'x')).toMatchObject({ torn: second.length });
    expect(readFile(file(zeros, first), 'x')).toMatchObject({ torn: 0 });
    expect(code(() => readLog(readFile(file(zeros, first), 'x').blocks, 'x'))).toBe('damaged');
  });
});
