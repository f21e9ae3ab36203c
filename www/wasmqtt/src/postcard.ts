/**
 * Postcard for values that cross the door: the encoding of serde's postcard crate (https://postcard.jamesmunns.com),
 * as far as the core uses it. A shape reads and writes one type; the shapes of all types stand in the generated
 * `door.ts`. What is written comes from users and is checked here: a TypeError names the place and what is allowed.
 */

/** How a value of one type is read and written. */
export interface Shape<T> {
  read(from: Reader): T;
  /** `at` names the place of the value, for errors. */
  write(to: Writer, value: T, at: string): void;
}

/** Bytes that are being read. */
export interface Reader {
  bytes: Uint8Array;
  at: number;
}

/** Bytes that are being written. */
export type Writer = number[];

const decoder = new TextDecoder();
const encoder = new TextEncoder();

const wrong = (at: string, wanted: string, value: unknown): TypeError => {
  const found = typeof value === 'object' && value !== null ? `{ ${Object.keys(value).join(', ')} }` : String(value);
  return new TypeError(`${at} must be ${wanted}; it is ${found}`);
};

/** Seven bits a byte, the lowest first. */
const readNumber = (from: Reader): number => {
  for (let number = 0, unit = 1; ; unit *= 128) {
    const byte = from.bytes[from.at++] as number;
    number += (byte % 128) * unit;
    if (byte < 128) return number;
  }
};

const writeNumber = (to: Writer, value: number): void => {
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) to.push((rest % 128) + 128);
  to.push(rest);
};

const integer = (bits: number): Shape<number> => ({
  read: readNumber,
  write(to, value, at) {
    if (!(Number.isInteger(value) && value >= 0 && value < 2 ** bits)) {
      throw wrong(at, `a whole number from 0 to ${bits > 53 ? `2^${bits}` : 2 ** bits} - 1`, value);
    }
    writeNumber(to, value);
  },
});

export const u16 = integer(16);
export const u32 = integer(32);
/** Read as the nearest number: all that count or tell the time are below 2^53. */
export const u64 = integer(64);

export const u8: Shape<number> = {
  read: (from) => from.bytes[from.at++] as number,
  write(to, value, at) {
    integer(8).write([], value, at);
    to.push(value);
  },
};

/** A number of which every one of 64 bits counts. */
export const wide: Shape<bigint> = {
  read(from) {
    for (let number = 0n, shift = 0n; ; shift += 7n) {
      const byte = from.bytes[from.at++] as number;
      number |= BigInt(byte % 128) << shift;
      if (byte < 128) return number;
    }
  },
  write(to, value, at) {
    if (typeof value !== 'bigint') throw wrong(at, 'a bigint', value);
    let rest = value;
    for (; rest > 127n; rest >>= 7n) to.push(Number(rest % 128n) + 128);
    to.push(Number(rest));
  },
};

export const bool: Shape<boolean> = {
  read: (from) => from.bytes[from.at++] === 1,
  write(to, value, at) {
    if (typeof value !== 'boolean') throw wrong(at, 'true or false', value);
    to.push(Number(value));
  },
};

const readBytes = (from: Reader, length: number): Uint8Array => {
  from.at += length;
  return from.bytes.slice(from.at - length, from.at);
};

const writeBytes = (to: Writer, value: Uint8Array): void => {
  for (const byte of value) to.push(byte);
};

export const bytes: Shape<Uint8Array> = {
  read: (from) => readBytes(from, readNumber(from)),
  write(to, value, at) {
    if (!(value instanceof Uint8Array)) throw wrong(at, 'a Uint8Array', value);
    writeNumber(to, value.length);
    writeBytes(to, value);
  },
};

/** Bytes that reach to the end. */
export const rest: Shape<Uint8Array> = {
  read: (from) => readBytes(from, from.bytes.length - from.at),
  write: writeBytes,
};

export const text: Shape<string> = {
  read: (from) => decoder.decode(bytes.read(from)),
  write(to, value, at) {
    if (typeof value !== 'string') throw wrong(at, 'a string', value);
    bytes.write(to, encoder.encode(value), at);
  },
};

export const option = <T>(inner: Shape<T>): Shape<T | undefined> => ({
  read: (from) => (bool.read(from) ? inner.read(from) : undefined),
  write(to, value, at) {
    to.push(Number(value !== undefined));
    if (value !== undefined) inner.write(to, value, at);
  },
});

export const list = <T>(inner: Shape<T>): Shape<T[]> => ({
  read: (from) => Array.from({ length: readNumber(from) }, () => inner.read(from)),
  write(to, value, at) {
    if (!Array.isArray(value)) throw wrong(at, 'an array', value);
    writeNumber(to, value.length);
    for (const [index, item] of value.entries()) inner.write(to, item, `${at}[${index}]`);
  },
});

export const tuple = <T extends unknown[]>(inner: { [K in keyof T]: Shape<T[K]> }): Shape<T> => ({
  read: (from) => inner.map((shape) => shape.read(from)) as T,
  write(to, value, at) {
    if (value?.length !== inner.length) throw wrong(at, `an array of ${inner.length}`, value);
    for (const [index, shape] of inner.entries()) shape.write(to, value[index], `${at}[${index}]`);
  },
});

export const struct = <T extends object>(fields: { [K in keyof T]-?: Shape<T[K]> }): Shape<T> => {
  const shapes = Object.entries(fields) as [keyof T & string, Shape<unknown>][];
  return {
    read: (from) => Object.fromEntries(shapes.map(([name, shape]) => [name, shape.read(from)])) as T,
    write(to, value, at) {
      const stranger = Object.keys(Object(value)).find((name) => !Object.hasOwn(fields, name));
      if (stranger !== undefined) throw new TypeError(`${at}.${stranger} is none of ${Object.keys(fields).join(', ')}`);
      for (const [name, shape] of shapes) shape.write(to, value?.[name], `${at}.${name}`);
    },
  };
};

/** Variants with fields are `{ Name: fields }`, those without `"Name"`. */
export const enumeration = <T>(variants: { [name: string]: Shape<unknown> | undefined }): Shape<T> => {
  const names = Object.keys(variants);
  return {
    read(from) {
      const name = names[readNumber(from)] as string;
      return (variants[name] ? { [name]: variants[name].read(from) } : name) as T;
    },
    write(to, value, at) {
      const name = typeof value === 'string' ? value : Object.keys(Object(value))[0];
      const shape = variants[name as string];
      if (!Object.hasOwn(variants, name as string) || (shape === undefined) !== (name === value)) {
        throw wrong(
          at,
          `one of ${names.map((each) => (variants[each] ? `{ ${each}: ... }` : each)).join(', ')}`,
          value,
        );
      }
      writeNumber(to, names.indexOf(name as string));
      shape?.write(to, (value as { [name: string]: unknown })[name as string], `${at}.${name}`);
    },
  };
};

/** An enumeration of names alone. */
export const names = <T extends string>(all: string): Shape<T> =>
  enumeration<T>(Object.fromEntries(all.split(' ').map((name) => [name, undefined])));

/** A value from its bytes. */
export const decode = <T>(shape: Shape<T>, from: Uint8Array): T => shape.read({ bytes: from, at: 0 });

/** The bytes of a value; `at` names it in errors. */
export const encode = <T>(shape: Shape<T>, value: T, at: string): Uint8Array => {
  const to: Writer = [];
  shape.write(to, value, at);
  return Uint8Array.from(to);
};
