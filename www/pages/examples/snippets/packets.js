import { broker } from './tab.js';

// Every packet with its bytes, and why each Session does or does not get a message.
export const stream = broker.trace();

export async function follow(/** @type {(traced: import('wasmqtt').TraceEvent) => void} */ show) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    show(value);
  }
}
