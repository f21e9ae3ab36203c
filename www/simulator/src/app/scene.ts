// What is on the Stage and what the reader looks at: the model, which is made anew when one starts over, and the choices
// of view, tab and selection, which stay.

import { batch, computed, type ReadonlySignal, signal } from '@preact/signals';
import type { Language, Text } from '../i18n/text';
import type { Micros } from '../lessons/stage';
import { type Frames, Model } from '../stage/model';
import type { BrokerConfig, ClientOptions, Entry, StageScenario } from '../stage/types';
import type { Person, Selection } from '../view/props';

export const VIEWS = ['map', 'ladder', 'split'] as const;
export type View = (typeof VIEWS)[number];
export const TABS = ['why', 'packet', 'session', 'topics', 'log'] as const;
export type Tab = (typeof TABS)[number];

/** A name in the reader's language; a client without one is called by its id. */
export function nameIn(name: string | Text | undefined, id: string, language: Language): string {
  return typeof name === 'string' ? name || id : (name?.[language] ?? id);
}

export class Scene {
  readonly model;
  readonly view = signal<View>('map');
  readonly tab = signal<Tab>('log');
  readonly selection = signal<Selection>(null);
  readonly follow = signal(true);
  /** What somebody wants to do with a topic that they look at; whoever has the forms opens one. */
  readonly wish = signal<{ readonly verb: 'publish' | 'subscribe'; readonly topic: string } | null>(null);
  /** The branch that stands beside the current one. */
  readonly beside = signal<number | null>(null);
  /** Everybody who is ever there on this branch. */
  readonly clients: ReadonlySignal<readonly ClientOptions[]>;
  /** The broker as it is set up at the playhead. */
  readonly broker: ReadonlySignal<BrokerConfig>;
  readonly #text: string;
  readonly #begin: Micros;
  readonly #frames: Frames | undefined;

  /** @throws Error with the Stage's words about what is wrong with the scenario, and where. */
  constructor(text: string, frames?: Frames) {
    this.#text = text;
    this.#frames = frames;
    this.model = signal(new Model(text, 0, frames));
    // Now that the Stage has read it, it is known to be right.
    const scenario = JSON.parse(text) as StageScenario;
    this.#begin = scenario.begin ?? 0;
    if (this.#begin > 0) this.model.value = this.#another();
    if (scenario.view) this.view.value = scenario.view;
    const first = scenario.clients ?? [];
    let known: { entries: readonly Entry[]; size: number; clients: readonly ClientOptions[] } | null = null;
    this.clients = computed(() => {
      const model = this.model.value;
      void model.moment.value;
      const entries = model.entries.value;
      const from = known?.entries === entries ? known.size : 0;
      const before = known?.entries === entries ? known.clients : first;
      const added = entries
        .slice(from)
        .flatMap((entry) => ('command' in entry && entry.command.do === 'add_client' ? [entry.command.client] : []));
      const clients = added.length === 0 ? before : before.concat(added);
      known = { entries, size: entries.length, clients };
      return clients;
    });
    this.broker = computed(() => {
      const model = this.model.value;
      void model.moment.value;
      const config: { -readonly [key in keyof BrokerConfig]: BrokerConfig[key] } = { ...scenario.broker };
      for (const entry of model.entries.value.slice(0, model.playhead.peek().entries)) {
        if ('command' in entry && entry.command.do === 'broker') Object.assign(config, entry.command.set);
      }
      return config;
    });
  }

  /** Everybody with a name in this language. */
  people(language: Language): ReadonlySignal<readonly Person[]> {
    return computed(() => {
      const byId = new Map(
        this.clients.value.map(({ id, name, icon }): [string, Person] => [
          id,
          { id, name: nameIn(name, id, language), icon: icon ?? 'sensor' },
        ]),
      );
      return [...byId.values()];
    });
  }

  /** Everything from the beginning. */
  startOver(): void {
    const old = this.model.value;
    const model = this.#another();
    model.speed.value = old.speed.value;
    batch(() => {
      this.selection.value = null;
      this.beside.value = null;
      this.follow.value = true;
      this.model.value = model;
    });
    old.free();
  }

  /** Chooses something and shows the inspector that tells of it, unless the reader has one open that does so too. */
  select(selection: Selection): void {
    batch(() => {
      this.selection.value = selection;
      if (selection === null) return;
      const open = this.tab.value;
      if ('entry' in selection && open !== 'why' && open !== 'log') this.tab.value = 'packet';
      if (('client' in selection || 'link' in selection) && open !== 'log') this.tab.value = 'session';
      if ('topic' in selection) this.tab.value = 'topics';
    });
  }

  #another(): Model {
    return new Model(this.#text, this.#begin, this.#frames);
  }

  free(): void {
    this.model.value.free();
  }
}
