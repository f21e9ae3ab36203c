// Virtual time as people read it.

import type { Language } from '../i18n/text';
import type { Micros } from '../stage/types';

/** A point of time: seconds with milliseconds, with minutes and hours in front once there are any. */
export function clock(at: Micros): string {
  const ms = Math.floor(at / 1000);
  const [h, m, s] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Math.floor(ms / 1000) % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  const rest = `.${String(ms % 1000).padStart(3, '0')}`;
  if (h > 0) return `${h}:${two(m)}:${two(s)}${rest}`;
  return m > 0 ? `${m}:${two(s)}${rest}` : `${s}${rest}`;
}

const UNITS = [
  ['day', 86_400_000_000],
  ['hour', 3_600_000_000],
  ['minute', 60_000_000],
  ['second', 1_000_000],
] as const;

const formats = new Map<string, Intl.NumberFormat>();

function inUnit(value: number, unit: string, digits: number, language: Language): string {
  const key = `${language} ${unit} ${digits}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language, {
      style: 'unit',
      unit,
      unitDisplay: 'short',
      maximumFractionDigits: digits,
    });
    formats.set(key, format);
  }
  return format.format(value);
}

/** How long, in one unit: 350 ms, 1.2 s, 3 min, 1 hr. */
export function span(micros: Micros, language: Language): string {
  for (const [unit, size] of UNITS) {
    if (micros >= size * (unit === 'second' ? 1 : 2) - 1) {
      const value = micros / size;
      return inUnit(value, unit, value < 10 ? 1 : 0, language);
    }
  }
  return inUnit(Math.round(micros / 1000), 'millisecond', 0, language);
}
