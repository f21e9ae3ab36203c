/** What a page fetches for the default entry, compressed as servers do: the package's promise is 150 KiB, and this bound goes
 * back there once bridges and the shorter ways of the core are as small as the rest. */
import { readFileSync } from 'node:fs';

export default [
  {
    name: 'wasmqtt: scripts and WebAssembly of the default entry',
    path: JSON.parse(readFileSync(new URL('dist/.fetched.json', import.meta.url), 'utf8')),
    limit: '164 KiB',
    brotli: true,
  },
];
