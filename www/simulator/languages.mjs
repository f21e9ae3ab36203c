// How large each language is, in bytes of gzip: `node simulator/languages.mjs`, with the workspace as the working
// folder. A language is all that a page needs for it: its catalogue with reasons and particles, the texts of all
// lessons, and the glossary. More than 30 KiB fails.

import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const BUDGET_BYTES = 30 * 1024;

const source = (contents) => ({
  stdin: { contents, resolveDir: new URL('.', import.meta.url).pathname, loader: 'ts' },
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  charset: 'utf8',
  logLevel: 'error',
});

const bundled = async (contents) => (await build(source(contents))).outputFiles[0].text;
const module = await bundled(`
  export { LESSONS } from './src/lessons/index';
  export { TERMS } from './src/glossary/terms';
  export { inLanguage } from './src/i18n/text';`);
const { LESSONS, TERMS, inLanguage } = await import(`data:text/javascript,${encodeURIComponent(module)}`);

/** Of a lesson only what is words: scenarios, checks and commands are the same in every language. */
const words = ({ id, title, story, question, goal, actions, hints, traps, sections, look, closing, scenario }) => ({
  id,
  title,
  story,
  question,
  goal,
  labels: actions.map(({ label }) => label),
  hints,
  traps: traps.map(({ say }) => say),
  sections: sections.map(({ says }) => says),
  look: look.text,
  closing,
  names: scenario.clients.map(({ name }) => name),
});

const gzip = (text) => gzipSync(text, { level: 9 }).length;
let failed = false;
for (const language of ['ko', 'en']) {
  const catalogue = await bundled(`export { ${language} } from './src/i18n/${language}';`);
  const lessons = JSON.stringify(inLanguage(LESSONS.map(words), language));
  const glossary = JSON.stringify(inLanguage(TERMS, language));
  const parts = { catalogue: gzip(catalogue), lessons: gzip(lessons), glossary: gzip(glossary) };
  const total = parts.catalogue + parts.lessons + parts.glossary;
  failed ||= total > BUDGET_BYTES;
  console.log(`${language}: ${total} of ${BUDGET_BYTES} bytes gzip`, parts);
}
const chunks = await Promise.all(
  LESSONS.map(async ({ number, id }) =>
    gzip(await bundled(`export * from './src/lessons/${String(number).padStart(2, '0')}-${id}';`)).toString(),
  ),
);
console.log(
  `a lesson as a chunk of its own, both languages: ${Math.min(...chunks)} to ${Math.max(...chunks)} bytes gzip`,
);
process.exitCode = failed ? 1 : 0;
