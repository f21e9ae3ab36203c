/** The code that an example runs, beside it, coloured, with a button that copies it. */
import { make } from './dom.js';

/** The files as they are; the examples import the very same. */
const SOURCES = import.meta.glob<string>('./snippets/*.js', { query: '?raw', import: 'default', eager: true });

const TOKENS =
  /(?<comment>\/\/[^\n]*)|(?<string>'[^'\n]*'|`[^`]*`)|(?<keyword>\b(?:import|from|export|const|async|await|function|return|for|if|new)\b)|(?<number>\b\d[\d_]*\b)/g;

function coloured(code: string): (Node | string)[] {
  const parts: (Node | string)[] = [];
  let at = 0;
  for (const match of code.matchAll(TOKENS)) {
    const [kind] = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined) ?? [];
    parts.push(code.slice(at, match.index), make('span', { class: `t-${kind}` }, match[0]));
    at = match.index + match[0].length;
  }
  return [...parts, code.slice(at)];
}

/** The source of a file as somebody types it: without what only the type checker wants. */
function plain(source: string): string {
  const cast = /\/\*\* @type .*?\*\/ \(\n *(.*?)\n\)/gs;
  return source
    .replace(cast, '$1')
    .replace(/\/\*\* @type .*?\*\/ /g, '')
    .trimEnd();
}

/** The panel for a file of `snippets`. */
export function codePanel(name: string): HTMLElement {
  const code = plain(SOURCES[`./snippets/${name}`] ?? '');
  const copy = make('button', { type: 'button', class: 'copy' }, 'Copy');
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(code);
      copy.textContent = 'Copied';
    } catch {
      // Selected, so that the keyboard can.
      getSelection()?.selectAllChildren(body);
      copy.textContent = 'Selected';
    }
  });
  const body = make('code', {}, ...coloured(code));
  const bar = make('figcaption', {}, make('span', {}, name), copy);
  return make('figure', { class: 'code' }, bar, make('pre', {}, body));
}
