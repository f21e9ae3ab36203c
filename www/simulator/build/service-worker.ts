/** Writes `sw.js` into the build: it keeps every file of this build, so that the page works offline after a first visit. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

/** The gallery and source maps are for whoever makes the page. */
const kept = (name: string) => !/\.map$|manifest\.json$|gallery/i.test(name);

export function serviceWorker(): Plugin {
  const source = new URL('./sw.js', import.meta.url);
  return {
    name: 'service-worker',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const files = Object.values(bundle).filter(({ fileName }) => kept(fileName));
        const hash = createHash('sha256');
        for (const file of files) hash.update(file.fileName).update(file.type === 'chunk' ? file.code : file.source);
        const names = files.map(({ fileName }) => fileName);
        const text = readFileSync(source, 'utf8')
          .replace('__VERSION__', hash.digest('hex').slice(0, 16))
          .replace('__FILES__', JSON.stringify(['./', ...names].sort()));
        this.emitFile({ type: 'asset', fileName: 'sw.js', source: text });
      },
    },
  };
}
