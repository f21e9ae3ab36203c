// The bytes of a packet, and the bits of one of them.

import { useRef } from 'preact/hooks';
import type { PacketField } from '../../stage/types';
import type { Words } from '../props';
import { bitsAt } from './bytes';
import { valueWords } from './Fields';

/** More bytes than this are not shown: nobody reads them. */
const SHOWN_MAX = 512;
const ROW = 8;

interface HexProps {
  readonly bytes: Uint8Array;
  readonly fields: readonly PacketField[];
  readonly chosen: number | undefined;
  /** The byte that is looked at. */
  readonly byte: number | undefined;
  /** The byte where a rule is broken. */
  readonly wrong: number | undefined;
  readonly onByte: (byte: number) => void;
  readonly t: Words;
}

const printable = (byte: number): string => (byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·');

export function Hex({ bytes, fields, chosen, byte, wrong, onByte, t }: HexProps) {
  const grid = useRef<HTMLDivElement>(null);
  const field = chosen === undefined ? undefined : fields[chosen];
  const shown = bytes.subarray(0, SHOWN_MAX);
  const tabbed = byte ?? field?.from ?? 0;
  const onKeyDown = (event: KeyboardEvent) => {
    const at = Number((event.currentTarget as HTMLElement).dataset.byte);
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -ROW, ArrowDown: ROW };
    const step = steps[event.code];
    const to =
      event.code === 'Home' ? 0 : event.code === 'End' ? shown.length - 1 : step === undefined ? -1 : at + step;
    if (to < 0 || to >= shown.length || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    onByte(to);
    grid.current?.querySelector<HTMLElement>(`[data-byte="${to}"]`)?.focus();
  };
  const rows = Array.from({ length: Math.ceil(shown.length / ROW) }, (_, row) => row * ROW);
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: bytes are a group of buttons, not a set of fields. */}
      <div class="hex" role="group" aria-label={t.view.packet.hex} ref={grid}>
        {rows.map((begin) => (
          <div class="hex-row" key={begin}>
            <span class="hex-offset" aria-hidden="true">
              {begin.toString().padStart(3, '0')}
            </span>
            {Array.from(shown.subarray(begin, begin + ROW), (value, index) => {
              const at = begin + index;
              const inside = field !== undefined && at >= field.from && at < field.to;
              const name = `hex-byte${inside ? ' inside' : ''}${at === wrong ? ' wrong' : ''}`;
              return (
                <button
                  key={at}
                  type="button"
                  class={name}
                  data-byte={at}
                  tabIndex={at === tabbed ? 0 : -1}
                  aria-pressed={at === byte}
                  aria-label={`${t.packet.range(at, at)}: ${value.toString(16).padStart(2, '0')}${at === wrong ? `, ${t.view.packet.wrong(at)}` : ''}`}
                  onClick={() => onByte(at)}
                  onKeyDown={onKeyDown}
                >
                  {value.toString(16).padStart(2, '0')}
                </button>
              );
            })}
            <span class="hex-text" aria-hidden="true">
              {Array.from(shown.subarray(begin, begin + ROW), (value, index) => {
                const at = begin + index;
                const inside = field !== undefined && at >= field.from && at < field.to;
                return (
                  <span key={at} class={inside ? 'inside' : undefined}>
                    {printable(value)}
                  </span>
                );
              })}
            </span>
          </div>
        ))}
      </div>
      {bytes.length > SHOWN_MAX && <p class="soft">… {t.packet.size(bytes.length)}</p>}
    </>
  );
}

interface BitsProps {
  readonly bytes: Uint8Array;
  readonly fields: readonly PacketField[];
  readonly chosen: number | undefined;
  readonly byte: number;
  readonly onChoose: (index: number) => void;
  readonly t: Words;
}

/** One byte as its bits, each under the field that it is of. */
export function Bits({ bytes, fields, chosen, byte, onChoose, t }: BitsProps) {
  const parts = bitsAt(fields, byte);
  const value = bytes[byte] ?? 0;
  const field = chosen === undefined ? undefined : fields[chosen];
  const lit = (bit: number) =>
    field !== undefined &&
    byte >= field.from &&
    byte < field.to &&
    (!field.bits || (bit <= field.bits[0] && bit >= field.bits[1]));
  return (
    <div class="bits">
      <p class="soft">
        {t.view.packet.bitsOf(byte)}: <code>0x{value.toString(16).padStart(2, '0')}</code> = {value}
      </p>
      <div class="bits-row" aria-hidden="true">
        {[7, 6, 5, 4, 3, 2, 1, 0].map((bit) => (
          <span key={bit} class={`bit${lit(bit) ? ' inside' : ''}`}>
            <span class="bit-number">{bit}</span>
            {(value >> bit) & 1}
          </span>
        ))}
      </div>
      {parts.length > 0 && (
        <ul class="bits-fields">
          {parts.map((index) => {
            const part = fields[index];
            if (!part?.bits) return null;
            const [high, low] = part.bits;
            return (
              <li key={index} style={{ gridColumn: `${8 - high} / ${9 - low}` }}>
                <button
                  type="button"
                  class="bits-field"
                  aria-pressed={index === chosen}
                  aria-label={`${t.packet.bits(low, high)}: ${t.view.fieldName(part.name)} ${valueWords(part.value, t)}`}
                  title={`${t.view.fieldName(part.name)}: ${valueWords(part.value, t)}`}
                  onClick={() => onChoose(index)}
                >
                  {t.view.fieldName(part.name)}
                </button>
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}
