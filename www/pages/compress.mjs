// Puts a brotli file beside each file of the site that gets smaller by it, for servers that hand them out as they are.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress } from 'node:zlib';

const site = fileURLToPath(new URL('../site/', import.meta.url));
const COMPRESSED = new Set(['.css', '.html', '.js', '.json', '.svg', '.wasm', '.webmanifest']);
const BYTES_MIN = 1024;

for (const entry of await readdir(site, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !COMPRESSED.has(extname(entry.name))) continue;
  const file = join(entry.parentPath ?? entry.path, entry.name);
  const content = await readFile(file);
  const compressed = await promisify(brotliCompress)(content);
  if (content.length >= BYTES_MIN && compressed.length < content.length) await writeFile(`${file}.br`, compressed);
  else await rm(`${file}.br`, { force: true });
}
