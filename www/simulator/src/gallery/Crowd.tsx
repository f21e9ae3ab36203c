// Two hundred clients and ten thousand entries, for the figures: `gallery.html?crowd=ladder`, or `ladder-few` (three clients), `log`, `map`.

import { useState } from 'preact/hooks';
import { Stage } from '../../generated/stage.js';
import { inLanguage, type Language, type Text } from '../i18n/text';
import type { Entry, Icon, Playhead, Sessions, StageScenario, Topics } from '../stage/types';
import Ladder from '../view/Ladder';
import Log from '../view/Log';
import ClientMap from '../view/Map';
import type { Selection, Words } from '../view/props';
import { CROWD, FEW } from './scenes.mjs';

interface Crowd {
  readonly entries: readonly Entry[];
  readonly playhead: Playhead;
  readonly sessions: Sessions;
  readonly topics: Topics;
}

/** Runs until so many entries are there. */
export function crowd(scenario: StageScenario, least: number): Crowd {
  const stage = new Stage(JSON.stringify(scenario));
  let at = 0;
  while (JSON.parse(stage.playhead()).entries < least && at < 600e6) {
    at += 200_000;
    stage.runUntil(at);
  }
  const all = {
    entries: JSON.parse(stage.log(0)),
    playhead: JSON.parse(stage.playhead()),
    sessions: JSON.parse(stage.sessions()),
    topics: JSON.parse(stage.topics()),
  };
  stage.free();
  return all as Crowd;
}

export function CrowdPage({ t, language, view }: { t: Words; language: Language; view: string }) {
  const scenario = view === 'ladder-few' ? FEW : CROWD;
  const [all] = useState(() => crowd(scenario, 10_000));
  const [selection, onSelect] = useState<Selection>(null);
  const [people] = useState(() =>
    inLanguage(
      scenario.clients as readonly { readonly id: string; readonly name: Text; readonly icon: Icon }[],
      language,
    ),
  );
  const shared = { t, language, people, selection, onSelect, ...all } as const;
  return (
    <main class="crowd">
      {view === 'map' && <ClientMap {...shared} playing={true} />}
      {view === 'log' && <Log {...shared} follow={false} />}
      {view.startsWith('ladder') && <Ladder {...shared} follow={false} />}
    </main>
  );
}
