// Nothing about wasmqtt: webpack finds the WebAssembly and the workers by itself.
import { fileURLToPath } from 'node:url';

export default {
  mode: 'production',
  context: fileURLToPath(new URL('../app/', import.meta.url)),
  entry: { hello: './hello.js', shared: './shared.js', worker: './worker.js' },
  output: { path: fileURLToPath(new URL('./dist/', import.meta.url)), filename: '[name].js', clean: true },
};
