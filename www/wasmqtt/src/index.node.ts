/**
 * `wasmqtt` in Node: the core's WebAssembly lies beside this file and is read from there, since `fetch` reads no files.
 */
import { readFile } from 'node:fs/promises';
import { setDefaultSource } from './wasm.js';

setDefaultSource(() => readFile(new URL('./wasmqtt.wasm', import.meta.url)));

export * from './exports.js';
