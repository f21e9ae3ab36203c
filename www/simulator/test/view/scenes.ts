// Logs for the tests of the views: the Gallery's scenes, run in the real Stage.

import { readFileSync } from 'node:fs';
import { initSync, Stage } from '../../generated/stage.js';
import { CROWD, SCENES } from '../../src/gallery/scenes.mjs';
import { inLanguage, type Language, type Text } from '../../src/i18n/text';
import type { Entry, Icon, Playhead } from '../../src/stage/types';
import type { Person } from '../../src/view/props';

initSync({ module: readFileSync(new URL('../../generated/stage_bg.wasm', import.meta.url)) });

export interface Run {
  readonly id: string;
  readonly entries: readonly Entry[];
  readonly playhead: Playhead;
  readonly stage: Stage;
  people(language: Language): readonly Person[];
}

function runOf(id: string, scenario: unknown, until: number, deeds: readonly (readonly unknown[])[] = []): Run {
  const stage = new Stage(JSON.stringify(scenario));
  for (const [at, ...commands] of deeds) {
    stage.runUntil(at as number);
    for (const command of commands) stage.command(JSON.stringify(command));
  }
  stage.runUntil(until);
  const clients = (scenario as { clients: readonly { id: string; name: Text; icon: Icon }[] }).clients;
  return {
    id,
    entries: JSON.parse(stage.log(0)),
    playhead: JSON.parse(stage.playhead()),
    stage,
    people: (language) => clients.map(({ id, name, icon }) => ({ id, name: inLanguage(name, language), icon })),
  };
}

export const RUNS: readonly Run[] = SCENES.map(({ id, scenario, until, deeds }) => runOf(id, scenario, until, deeds));

export function run(id: string): Run {
  const found = RUNS.find((one) => one.id === id);
  if (!found) throw new Error(`there is no scene ${id}`);
  return found;
}

export const crowd = (): Run => runOf('crowd', CROWD, 20e6);
