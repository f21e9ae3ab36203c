// Every part of the simulator in every state, on one page: for those who build it, for its pictures and for the checks
// of what can be heard and reached. What is shown is what the Stage said when gallery.mjs ran its scenarios.

import { useState } from 'preact/hooks';
import { inLanguage, type Language } from '../i18n/text';
import type { Selection, Words } from '../view/props';
import type { Shots } from './shots';
import { PARTS, type State } from './states';

export interface GalleryProps {
  readonly t: Words;
  readonly language: Language;
  readonly shots: Shots;
  /** Only parts with one of these names. */
  readonly only?: readonly string[];
}

export function Gallery({ t, language, shots, only }: GalleryProps) {
  return (
    <main class="gallery">
      <header>
        <h1>{t.gallery.title}</h1>
        <p class="gallery-lead">{t.gallery.lead}</p>
      </header>
      {PARTS.filter(({ id }) => !only || only.includes(id)).map(({ id, title, states }) => (
        <section key={id} aria-labelledby={`part-${id}`}>
          <h2 id={`part-${id}`}>{title(t)}</h2>
          <ul class="gallery-states">
            {states.map((state) => (
              <Frame key={state.id} state={state} t={t} language={language} shots={shots} />
            ))}
          </ul>
        </section>
      ))}
    </main>
  );
}

function Frame({ state, t, language, shots }: { state: State; t: Words; language: Language; shots: Shots }) {
  const shot = shots[state.scene];
  const [selection, onSelect] = useState<Selection>(() => state.selection?.(shot) ?? null);
  return (
    <li class={state.wide ? 'wide' : undefined} data-state={state.id}>
      <h3>{t.gallery.state(inLanguage(state.name, language))}</h3>
      <div class="gallery-frame" style={state.height ? { height: `${state.height}px` } : undefined}>
        {state.show({ t, language, people: inLanguage(shot.people, language), selection, onSelect }, shot)}
      </div>
    </li>
  );
}
