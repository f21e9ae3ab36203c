/**
 * `wasmqtt` in a browser: the core's WebAssembly lies beside this file, where every bundler finds it.
 */
import { setDefaultSource } from './wasm.js';

setDefaultSource(() => new URL('./wasmqtt.wasm', import.meta.url));

export * from './exports.js';
