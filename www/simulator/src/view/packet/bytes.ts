// Bytes and fields of a packet: which field a byte belongs to, which bytes a field has, and what a person typed.

import type { PacketField } from '../../stage/types';

/** Hexadecimal digits as bytes. */
export function bytesOf(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length >> 1);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16);
  return bytes;
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Two digits each, sixteen to a line, as people edit them. */
export function pretty(hex: string): string {
  const pairs = hex.match(/../g) ?? [];
  const lines: string[] = [];
  for (let at = 0; at < pairs.length; at += 16) lines.push(pairs.slice(at, at + 16).join(' '));
  return lines.join('\n');
}

export type Typed =
  | { readonly hex: string }
  /** Counted from 1, in what was typed. */
  | { readonly wrong: 'digit'; readonly position: number }
  | { readonly wrong: 'odd' }
  | { readonly wrong: 'none' };

/** What somebody typed, with any white space between the digits. */
export function parseHex(text: string): Typed {
  const bad = text.search(/[^0-9a-fA-F\s]/);
  if (bad >= 0) return { wrong: 'digit', position: bad + 1 };
  const hex = text.replace(/\s+/g, '').toLowerCase();
  if (hex === '') return { wrong: 'none' };
  return hex.length % 2 === 1 ? { wrong: 'odd' } : { hex };
}

/** The innermost field that a byte belongs to: its place in the list. Bits come before whole bytes, parts before groups. */
export function fieldAt(fields: readonly PacketField[], byte: number): number | undefined {
  let best: number | undefined;
  for (const [index, field] of fields.entries()) {
    if (byte < field.from || byte >= field.to) continue;
    const old = best === undefined ? undefined : fields[best];
    if (!old || field.depth > old.depth) best = index;
  }
  return best;
}

/** The fields that share one byte, by their bits from the highest on. */
export function bitsAt(fields: readonly PacketField[], byte: number): readonly number[] {
  return fields.flatMap((field, index) => (field.bits && field.from === byte ? [index] : []));
}

/** `5:3.3.1.1` as standard and section. */
export function sectionParts(section: string): readonly [standard: string, section: string] {
  const [version, number] = section.split(':');
  return [version === '311' ? 'MQTT 3.1.1' : 'MQTT 5.0', number ?? section];
}

/** A rule's statement without its standard: `MQTT-3.3.2-2`, or a section as `§ 4.7.3`. */
export function statementName(statement: string): string {
  const name = statement.replace(/^(5|311):/, '');
  return name.startsWith('MQTT') ? name : `§ ${name}`;
}
