/** What a page fetches for the default entry, compressed as servers do: the package's promise. */
import { readFileSync } from 'node:fs';

export default [
  {
    name: 'wasmqtt: scripts and WebAssembly of the default entry',
    path: JSON.parse(readFileSync(new URL('dist/.fetched.json', import.meta.url), 'utf8')),
    limit: '150 KiB',
    brotli: true,
  },
];
