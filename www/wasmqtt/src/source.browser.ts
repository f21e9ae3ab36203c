/** In a browser the core's WebAssembly lies beside the package's files, where every bundler finds it. */
import { setDefaultSource } from './wasm.js';

setDefaultSource(() => new URL('./wasmqtt.wasm', import.meta.url));
