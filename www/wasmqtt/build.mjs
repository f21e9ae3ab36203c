/**
 * Builds the package into `dist`: each entry as one ES module with what it shares in chunks, the WebAssembly beside
 * them, and declarations. `cargo xtask www` makes `generated` first.
 */
import { execFileSync } from 'node:child_process';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { brotliCompressSync, deflateRawSync } from 'node:zlib';
import { build } from 'esbuild';

const common = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  splitting: true,
  sourcemap: true,
  minify: true,
  outdir: 'dist',
  logLevel: 'warning',
  // The glue would look for the file by itself otherwise.
  external: ['*.wasm'],
};

/** `wasmqtt/inline` imports this name: the WebAssembly, deflated, as base64 text. */
const inlined = {
  name: 'inlined',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^#wasm$/ }, () => ({ path: 'wasm', namespace: 'inlined' }));
    onLoad({ filter: /.*/, namespace: 'inlined' }, async () => {
      const wasm = await readFile('generated/wasmqtt_bg.wasm');
      return { contents: `export default ${JSON.stringify(deflateRawSync(wasm, { level: 9 }).toString('base64'))}` };
    });
  },
};

await rm('dist', { recursive: true, force: true });
const browser = {
  index: 'src/index.ts',
  inline: 'src/inline.ts',
  testing: 'src/testing.browser.ts',
  shared: 'src/shared.ts',
  'shared-worker': 'src/shared-worker.ts',
};
const node = { 'index.node': 'src/index.node.ts', node: 'src/node.ts', 'testing.node': 'src/testing.node.ts' };
const there = async (entries) => {
  const found = await Promise.all(
    Object.entries(entries).map(async (entry) => ((await readFile(entry[1]).catch(() => undefined)) ? [entry] : [])),
  );
  return Object.fromEntries(found.flat());
};
await build({ ...common, entryPoints: await there(browser), platform: 'browser', plugins: [inlined] });
await build({
  ...common,
  entryPoints: await there(node),
  platform: 'node',
  target: 'node20',
  external: ['*.wasm', 'ws'],
  chunkNames: 'node-[hash]',
});
await cp('generated/wasmqtt_bg.wasm', 'dist/wasmqtt.wasm');
const require = createRequire(import.meta.url);
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
execFileSync(process.execPath, [tsc, '--project', 'tsconfig.build.json'], { stdio: 'inherit' });
await cp('generated/wasmqtt.d.ts', 'dist/generated/wasmqtt.d.ts');
const sizes = await Promise.all(
  ['dist/index.js', 'dist/wasmqtt.wasm'].map(async (file) => brotliCompressSync(await readFile(file)).length),
);
await writeFile('dist/.built', `${sizes.join(' ')}\n`);
console.log(`dist: index.js ${sizes[0]} B and wasmqtt.wasm ${sizes[1]} B after brotli`);
