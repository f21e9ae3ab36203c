// The words of MQTT, to be read from top to bottom or searched. The standard's own word is always the English one, and
// the Korean page shows both.

import { useEffect, useRef, useState } from 'preact/hooks';
import { TERMS, type Term } from '../glossary/terms';
import { Rich } from './rich';
import { href } from './router';
import { useShell } from './shell';

const found = (text: string, { term, says }: Term): boolean =>
  [term.ko, term.en, says.ko, says.en].some((one) => one.toLowerCase().includes(text));

export function Glossary({ term }: { readonly term: string | null }) {
  const { t, language } = useShell();
  const [search, setSearch] = useState('');
  const here = useRef<HTMLElement>(null);
  useEffect(() => {
    if (term === null) return;
    here.current?.scrollIntoView({ block: 'center' });
    here.current?.focus({ preventScroll: true });
  }, [term]);
  const text = search.trim().toLowerCase();
  const terms = TERMS.filter((one) => found(text, one));
  const name = (id: string) => TERMS.find((one) => one.id === id)?.term[language] ?? id;
  return (
    <div class="glossary">
      <header>
        <h1 tabIndex={-1}>{t.glossary.title}</h1>
        <p class="lead">{t.glossary.lead}</p>
        <label class="glossary-search">
          <span class="unseen">{t.glossary.search}</span>
          <input
            type="search"
            value={search}
            placeholder={t.glossary.search}
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        </label>
      </header>
      {terms.length === 0 && <p role="status">{t.glossary.none(search.trim())}</p>}
      <dl>
        {terms.map((one) => (
          <div
            key={one.id}
            class="term"
            data-here={one.id === term}
            ref={(element: HTMLElement | null) => {
              if (one.id === term) here.current = element;
            }}
            tabIndex={one.id === term ? -1 : undefined}
          >
            <dt>
              {one.term[language]}
              {language !== 'en' && <span lang="en">{one.term.en}</span>}
            </dt>
            <dd>
              <Rich text={one.says[language]} />
              {one.see.length > 0 && (
                <p class="term-see">
                  <span>{t.glossary.see}</span>
                  {one.see.map((id) => (
                    <a key={id} href={href.glossary(id)}>
                      {name(id)}
                    </a>
                  ))}
                </p>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
