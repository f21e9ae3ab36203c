// A font of two shapes: a bar, and a bar twice as wide where Hangul and other square letters stand. Text drawn with it
// has the same size and the same look on every machine, whatever fonts are there. The tables are written by hand after
// the OpenType specification; nothing but what a browser asks for is in them.

const UNITS = 1000;
const [ASCENT, DESCENT] = [800, 200];
/** Advance and the bar's sides, for the letter that nobody has, the narrow and the wide one. */
const SHAPES = [
  { advance: 0, left: 0, right: 0 },
  { advance: 550, left: 60, right: 490 },
  { advance: 950, left: 60, right: 890 },
] as const;

class Bytes {
  readonly #list: number[] = [];
  get length(): number {
    return this.#list.length;
  }
  u16(...values: number[]): this {
    for (const value of values) this.#list.push((value >> 8) & 0xff, value & 0xff);
    return this;
  }
  u32(...values: number[]): this {
    for (const value of values) this.u16(Math.floor(value / 0x10000), value & 0xffff);
    return this;
  }
  u8(...values: number[]): this {
    this.#list.push(...values);
    return this;
  }
  text(text: string): this {
    return this.u8(...Buffer.from(text, 'latin1'));
  }
  padded(): Uint8Array {
    return Uint8Array.from([...this.#list, ...Array.from({ length: (4 - (this.length % 4)) % 4 }, () => 0)]);
  }
}

/** A rectangle: four points, each given by both coordinates as words. */
function bar({ left, right }: (typeof SHAPES)[number]): Bytes {
  const [bottom, top] = [0, 560];
  const glyph = new Bytes().u16(1, left, bottom, right, top).u16(3, 0);
  glyph.u8(1, 1, 1, 1);
  // From one corner to the next: up, right, down.
  return glyph.u16(left, 0, right - left, 0).u16(bottom, top - bottom, 0, bottom - top);
}

/** Every code point has a shape; a space is as wide as a letter, and black too. */
function characters(): Bytes {
  const wide: readonly (readonly [number, number])[] = [
    [0x1100, 0x11ff],
    [0x2e80, 0xd7ff],
    [0xf900, 0xfaff],
    [0xfe30, 0xfe4f],
    [0xff00, 0xff60],
    [0x1f300, 0x1faff],
  ];
  const groups: [number, number, number][] = [];
  let next = 0x20;
  for (const [from, to] of wide) {
    if (from > next) groups.push([next, from - 1, 1]);
    groups.push([from, to, 2]);
    next = to + 1;
  }
  groups.push([next, 0x10ffff, 1]);
  const table = new Bytes().u16(0, 1).u16(3, 10).u32(12);
  table.u16(13, 0).u32(16 + groups.length * 12, 0, groups.length);
  for (const group of groups) table.u32(...group);
  return table;
}

function names(): Bytes {
  const texts: readonly (readonly [number, string])[] = [
    [1, 'Blocks'],
    [2, 'Regular'],
    [3, 'Blocks'],
    [4, 'Blocks'],
    [5, 'Version 1.0'],
    [6, 'Blocks'],
  ];
  const table = new Bytes().u16(0, texts.length, 6 + texts.length * 12);
  let at = 0;
  for (const [id, { length }] of texts) {
    table.u16(1, 0, 0, id, length, at);
    at += length;
  }
  for (const [, text] of texts) table.text(text);
  return table;
}

function tables(): ReadonlyMap<string, Bytes> {
  const glyphs = SHAPES.map((shape) => (shape.advance === 0 ? new Bytes() : bar(shape)).padded());
  const glyf = new Bytes();
  const loca = new Bytes();
  for (const glyph of glyphs) {
    loca.u32(glyf.length);
    glyf.u8(...glyph);
  }
  loca.u32(glyf.length);
  const [widest, right] = [SHAPES[2].advance, SHAPES[2].right];
  const os2 = new Bytes()
    .u16(4, 550, 400, 5, 0)
    .u16(600, 600, 0, 100, 600, 600, 0, 300, 50, 250, 0)
    .u8(...new Array<number>(10).fill(0))
    .u32(1, 0, 0, 0)
    .text('NONE')
    .u16(0x40, 0x20, 0xffff, ASCENT, 0x10000 - DESCENT, 0, ASCENT, DESCENT)
    .u32(1, 0)
    .u16(560, 700, 0, 0x20, 1);
  return new Map([
    ['OS/2', os2],
    ['cmap', characters()],
    ['glyf', glyf],
    [
      'head',
      new Bytes()
        .u32(0x10000, 0x10000, 0, 0x5f0f3cf5)
        .u16(3, UNITS)
        .u32(0, 0, 0, 0)
        .u16(0, 0, right, 560)
        .u16(0, 8, 2, 1, 0),
    ],
    [
      'hhea',
      new Bytes()
        .u32(0x10000)
        .u16(ASCENT, 0x10000 - DESCENT, 0, widest, 0, 0, right, 1, 0, 0, 0, 0, 0, 0, 0, SHAPES.length),
    ],
    ['hmtx', SHAPES.reduce((table, { advance, left }) => table.u16(advance, left), new Bytes())],
    ['loca', loca],
    ['maxp', new Bytes().u32(0x10000).u16(SHAPES.length, 4, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['name', names()],
    [
      'post',
      new Bytes()
        .u32(0x30000, 0)
        .u16(0x10000 - 100, 50)
        .u32(0, 0, 0, 0, 0),
    ],
  ]);
}

const checksum = (bytes: Uint8Array): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 4) sum = (sum + view.getUint32(at)) % 2 ** 32;
  return sum;
};

/** The font as a TrueType file. */
export function blocks(): Buffer {
  const all = [...tables()];
  const directory = new Bytes().u32(0x10000).u16(all.length, 128, 3, all.length * 16 - 128);
  const parts: Uint8Array[] = [];
  let at = 12 + all.length * 16;
  for (const [tag, table] of all) {
    const bytes = table.padded();
    directory.text(tag).u32(checksum(bytes), at, table.length);
    parts.push(bytes);
    at += bytes.length;
  }
  const font = Buffer.concat([directory.padded(), ...parts]);
  const head = all.slice(0, 3).reduce((sum, [, table]) => sum + table.padded().length, 12 + all.length * 16);
  font.writeUInt32BE((0xb1b0afba - checksum(font) + 2 ** 32) % 2 ** 32, head + 8);
  return font;
}
