/**
 * `wasmqtt/inline`: the core's WebAssembly inside the JavaScript, deflated, for places where a second file is trouble:
 * a single HTML file, an executable of one file, a test runner. It is larger to fetch than `wasmqtt`.
 */
// @ts-expect-error: made by build.mjs
import text from '#wasm';
import { setDefaultSource } from './wasm.js';

setDefaultSource(async () => {
  const bytes = Uint8Array.from(atob(text as string), (letter) => letter.charCodeAt(0));
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(inflated).arrayBuffer();
});

export * from './exports.js';
