// esbuild bundles scripts only. What wasmqtt fetches lies beside them: the WebAssembly, and the worker of SharedBroker.
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const app = fileURLToPath(new URL('../app/', import.meta.url));
const dist = fileURLToPath(new URL('./dist/', import.meta.url));
const { resolve } = createRequire(import.meta.url);

await build({
  entryPoints: {
    ...{ hello: `${app}hello.js`, shared: `${app}shared.js`, worker: `${app}worker.js` },
    broker: `${app}broker.js`,
    'shared-worker': 'wasmqtt/shared-worker',
  },
  absWorkingDir: app,
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  outdir: dist,
  logLevel: 'warning',
});
await cp(resolve('wasmqtt/wasmqtt.wasm'), `${dist}wasmqtt.wasm`);
await build({
  entryPoints: [fileURLToPath(new URL('./asset.js', import.meta.url))],
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  loader: { '.wasm': 'file' },
  outdir: dist,
  logLevel: 'warning',
});
