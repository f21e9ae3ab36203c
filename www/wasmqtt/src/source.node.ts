/** In Node the core's WebAssembly lies beside the package's files and is read, since `fetch` reads no files there. */
import { readFile } from 'node:fs/promises';
import { setDefaultSource } from './wasm.js';

setDefaultSource(() => readFile(new URL('./wasmqtt.wasm', import.meta.url)));
