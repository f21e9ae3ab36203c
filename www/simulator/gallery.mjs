// Runs the Gallery's scenarios in the Stage's wasm and writes what it gives to generated/gallery.json: the Gallery shows
// only what the Stage really said. `node simulator/gallery.mjs`, with the workspace as the working folder; the Stage must
// be built.

import { readFileSync, writeFileSync } from 'node:fs';
import { initSync, Stage } from './generated/stage.js';
import { SCENES } from './src/gallery/scenes.mjs';

initSync({ module: readFileSync(new URL('./generated/stage_bg.wasm', import.meta.url)) });

/** Everything that views are given, at the playhead. */
function shot(stage, scene) {
  const entries = JSON.parse(stage.log(0));
  const find = (wanted) => entries.findLastIndex(wanted);
  const views = {};
  for (const [name, wanted] of Object.entries(scene.ask ?? {})) {
    const n = find(wanted);
    if (n < 0) throw new Error(`${scene.id}: no entry for ${name}`);
    views[name] = { n, packet: null, why: null };
    for (const view of ['packet', 'why']) {
      try {
        views[name][view] = JSON.parse(stage[view](n));
      } catch {
        // This entry is about no packet, or about no message.
      }
    }
  }
  const sessions = JSON.parse(stage.sessions());
  const subscribed = sessions.sessions.flatMap(({ subscriptions }) => subscriptions.map(({ filter }) => filter));
  const asked = [...(scene.filters ?? []), ...subscribed];
  const filters = Object.fromEntries(asked.map((filter) => [filter, JSON.parse(stage.tryFilter(filter))]));
  return {
    entries,
    playhead: JSON.parse(stage.playhead()),
    sessions,
    topics: JSON.parse(stage.topics()),
    branches: JSON.parse(stage.branches()),
    views,
    filters,
  };
}

const all = {};
for (const scene of SCENES) {
  const stage = new Stage(JSON.stringify(scene.scenario));
  for (const [at, ...deeds] of scene.deeds ?? []) {
    stage.runUntil(at);
    for (const deed of deeds) stage.command(JSON.stringify(deed));
  }
  stage.runUntil(scene.until);
  if (scene.back !== undefined) stage.seekTime(scene.back);
  let other;
  if (scene.fork) {
    stage.seekTime(scene.fork.at);
    stage.command(JSON.stringify(scene.fork.command));
    stage.runUntil(scene.until);
    const [left, right] = JSON.parse(stage.branches()).map(({ branch }) => branch);
    other = { comparison: JSON.parse(stage.compare(left, right)), entries: JSON.parse(stage.logOf(left, 0)) };
  }
  const people = scene.scenario.clients.map(({ id, name, icon }) => ({ id, name, icon }));
  all[scene.id] = { ...shot(stage, scene), people, ...(other ? { other } : {}) };
  stage.free();
}
writeFileSync(new URL('./generated/gallery.json', import.meta.url), JSON.stringify(all));
