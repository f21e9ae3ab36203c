// Runs scenarios in the Stage's wasm and prints the logs that they give; crates/sim/tests/stage_wasm.rs compares them with
// what the same runs give natively. Reads a list of { scenario, deeds: [[method, argument], ...] } from standard input.
import { readFileSync, writeSync } from 'node:fs';

import { initSync, Stage } from '../generated/stage.js';

initSync({ module: readFileSync(new URL('../generated/stage_bg.wasm', import.meta.url)) });

let all = '';
for (const { scenario, deeds } of JSON.parse(readFileSync(0, 'utf8'))) {
  const stage = new Stage(scenario);
  for (const [method, ...given] of deeds) {
    try {
      stage[method](...given);
    } catch (error) {
      // A command that is refused natively too; if it is not, the logs differ.
      if (!(error instanceof Error)) throw error;
    }
  }
  all += `${stage.log(0)}\n${stage.text()}${JSON.parse(stage.branches()).length}\n`;
  stage.free();
}
const bytes = Buffer.from(all);
for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
