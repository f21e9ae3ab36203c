/** Builds the pages into `www/site`; the simulator's own build puts itself below `simulator/` there afterwards. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Takes the link to the simulator out where there is none. */
const simulator: Plugin = {
  name: 'simulator',
  transformIndexHtml: (html) =>
    existsSync(at('../simulator/package.json'))
      ? html
      : html.replace(/<!-- simulator -->.*?<!-- \/simulator -->\n?/gs, ''),
};

export default defineConfig({
  root: at('.'),
  base: './',
  plugins: [simulator],
  build: {
    outDir: at('../site'),
    emptyOutDir: true,
    target: 'es2022',
    rolldownOptions: { input: [at('./index.html'), at('./examples/index.html')] },
  },
  preview: { host: '127.0.0.1' },
  server: { host: '127.0.0.1' },
});
