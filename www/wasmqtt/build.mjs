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
const entryPoints = await there(browser);
const { metafile } = await build({ ...common, entryPoints, platform: 'browser', plugins: [inlined], metafile: true });
await build({
  ...common,
  entryPoints: await there(node),
  platform: 'node',
  target: 'node20',
  external: ['*.wasm', 'ws'],
  chunkNames: 'node-[hash]',
});
await cp('generated/wasmqtt_bg.wasm', 'dist/wasmqtt.wasm');
// npm packs what lies in this folder only.
for (const license of ['LICENSE-APACHE', 'LICENSE-MIT']) await cp(`../../${license}`, license);
const require = createRequire(import.meta.url);
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
execFileSync(process.execPath, [tsc, '--project', 'tsconfig.build.json'], { stdio: 'inherit' });
await cp('generated/wasmqtt.d.ts', 'dist/generated/wasmqtt.d.ts');
/** A file and all that it imports before it runs. */
const fetched = (file, seen = new Set()) => {
  if (seen.has(file)) return seen;
  seen.add(file);
  const needs = metafile.outputs[file].imports.filter(({ kind, external }) => kind === 'import-statement' && !external);
  for (const { path } of needs) fetched(path, seen);
  return seen;
};
const compressed = async (files) => {
  const sizes = files.map(async (file) => brotliCompressSync(await readFile(file)).length);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
};
const scripts = [...fetched('dist/index.js')];
// For size-limit, which holds it to a bound.
await writeFile('dist/.fetched.json', JSON.stringify([...scripts, 'dist/wasmqtt.wasm']));
const sizes = [await compressed(scripts), await compressed(['dist/wasmqtt.wasm'])];
await writeFile('dist/.built', `${sizes.join(' ')}\n`);
console.log(`dist: index.js with its chunks ${sizes[0]} B and wasmqtt.wasm ${sizes[1]} B after brotli`);
