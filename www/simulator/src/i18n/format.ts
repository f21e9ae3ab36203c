// Numbers, durations and lists in the reader's language, by the browser's own tables.

import type { Language } from './text';

export function number(value: number, language: Language): string {
  return new Intl.NumberFormat(language).format(value);
}

/** Virtual time as a duration: 350 ms, 1.2 s, 3 min. */
export function duration(micros: number, language: Language): string {
  const ms = micros / 1000;
  const [value, unit] =
    ms < 1000 ? [ms, 'millisecond'] : ms < 120_000 ? [ms / 1000, 'second'] : [ms / 60_000, 'minute'];
  const maximumFractionDigits = unit === 'millisecond' ? 0 : 1;
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits }).format(
    value,
  );
}

/** A, B and C; A, B 및 C. */
export function list(items: readonly string[], language: Language): string {
  return new Intl.ListFormat(language, { type: 'conjunction' }).format(items);
}
