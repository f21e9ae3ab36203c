// Nothing about wasmqtt: Vite finds the WebAssembly and the workers by itself.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const app = fileURLToPath(new URL('../app/', import.meta.url));

export default defineConfig({
  root: app,
  base: './',
  build: {
    outDir: fileURLToPath(new URL('./dist/', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    rolldownOptions: { input: ['hello', 'shared', 'worker', 'frame', 'framed'].map((page) => `${app}${page}.html`) },
  },
});
