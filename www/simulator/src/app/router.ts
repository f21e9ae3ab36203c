// Where the page is, read from the fragment of its address: #/lesson/first-message, #/sandbox/home, #s=1.… Whatever is
// none of these is the start page, or a link that can't be opened.

export type Route =
  | { readonly at: 'start' }
  | { readonly at: 'learn' }
  | { readonly at: 'lesson'; readonly id: string }
  | { readonly at: 'sandbox'; readonly preset: string }
  | { readonly at: 'link'; readonly link: string }
  | { readonly at: 'glossary'; readonly term: string | null }
  | { readonly at: 'unknown'; readonly fragment: string };

export const PRESETS = ['kitchen', 'home', 'restroom', 'empty'] as const;
export type Preset = (typeof PRESETS)[number];

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function routeOf(fragment: string): Route {
  const text = fragment.replace(/^#/, '');
  if (text === '' || text === '/') return { at: 'start' };
  if (text.startsWith('s=')) return { at: 'link', link: text.slice(2) };
  const [, page = '', ...rest] = text.split('/');
  const inner = decoded(rest.join('/'));
  if (text.startsWith('/')) {
    if (page === 'learn' && inner === '') return { at: 'learn' };
    if (page === 'lesson' && inner !== '') return { at: 'lesson', id: inner };
    if (page === 'sandbox') return { at: 'sandbox', preset: inner || 'kitchen' };
    if (page === 'glossary') return { at: 'glossary', term: inner || null };
  }
  return { at: 'unknown', fragment: text };
}

export const href = {
  start: '#/',
  learn: '#/learn',
  lesson: (id: string) => `#/lesson/${encodeURIComponent(id)}`,
  sandbox: (preset?: Preset) => (preset ? `#/sandbox/${preset}` : '#/sandbox'),
  link: (link: string) => `#s=${link}`,
  glossary: (term?: string) => (term ? `#/glossary/${encodeURIComponent(term)}` : '#/glossary'),
};
