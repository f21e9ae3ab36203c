// What the browser keeps for the page. A browser may refuse to store anything (private windows, frames without storage);
// then it is kept as long as the page is open, and the page says so once.

import { signal } from '@preact/signals';

const PREFIX = 'wasmqtt-simulator.';
const memory = new Map<string, string>();

/** Whether the browser refused. */
export const storageRefused = signal(false);

export function read(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    storageRefused.value = true;
    return memory.get(key) ?? null;
  }
}

export function write(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, value);
  } catch {
    storageRefused.value = true;
    if (value === null) memory.delete(key);
    else memory.set(key, value);
  }
}

/** Reads JSON that an older page, or a hand, may have written: what is no object is as if it were not there. */
export function readObject(key: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(read(key) ?? '{}');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
