// Which lessons were passed, and which one was open last. It stays in this browser.

import { signal } from '@preact/signals';
import { CONTENTS } from '../lessons/contents';
import { readObject, write } from './store';

export interface Progress {
  readonly passed: ReadonlySet<string>;
  readonly last: string | null;
}

function stored(): Progress {
  const { passed, last } = readObject('progress');
  const known = new Set(CONTENTS.map(({ id }) => id));
  const ids = Array.isArray(passed) ? passed.filter((id): id is string => typeof id === 'string' && known.has(id)) : [];
  return { passed: new Set(ids), last: typeof last === 'string' && known.has(last) ? last : null };
}

export const progress = signal<Progress>(stored());

function keep(next: Progress): void {
  progress.value = next;
  write('progress', JSON.stringify({ passed: [...next.passed], last: next.last }));
}

export function markPassed(id: string): void {
  const { passed, last } = progress.value;
  if (!passed.has(id)) keep({ passed: new Set([...passed, id]), last });
}

export function markOpened(id: string): void {
  const { passed, last } = progress.value;
  if (last !== id) keep({ passed, last: id });
}

export function forget(): void {
  progress.value = { passed: new Set(), last: null };
  write('progress', null);
}

/** Reads again what is stored, as another tab may have changed it. */
export function rereadProgress(): void {
  progress.value = stored();
}

/** The lesson to go on with: the open one, else the first that was not passed; `null` if all were. */
export function resume(): string | null {
  const { passed, last } = progress.value;
  if (last !== null && !passed.has(last)) return last;
  const from = last === null ? 0 : CONTENTS.findIndex(({ id }) => id === last) + 1;
  const rest = [...CONTENTS.slice(from), ...CONTENTS.slice(0, from)];
  return rest.find(({ id }) => !passed.has(id))?.id ?? null;
}
