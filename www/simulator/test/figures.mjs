// What the Stage's wasm costs under Node: 200 clients and 10,000 entries, as in crates/sim/tests/stage.rs. Prints each
// figure with its bound, and fails if one is missed; `cargo xtask bench stage` builds and runs it.
import { readFileSync } from 'node:fs';

import { initSync, Stage } from '../generated/stage.js';

const CLIENTS = 200;
const ENTRIES = 10_000;
const KEYFRAME_BYTES = 64 * 2 ** 20;

const { memory } = initSync({ module: readFileSync(new URL('../generated/stage_bg.wasm', import.meta.url)) });
const MiB = (bytes) => Number((bytes / 2 ** 20).toFixed(1));

function crowd() {
  const clients = Array.from({ length: CLIENTS }, (_, n) => ({
    id: `c${n}`,
    keep_alive_s: 60,
    session_expiry_s: 600,
    link: { latency_ms: 20 + (n % 7), jitter_ms: 30 },
  }));
  const stage = new Stage(JSON.stringify({ v: 1, seed: 1, clients }));
  const tell = (command) => stage.command(JSON.stringify(command));
  for (const [n, { id: who }] of clients.entries()) {
    tell({ do: 'connect', who });
    tell({ do: 'subscribe', who, filter: `room/${n % 40}/+`, qos: n % 3 });
  }
  for (let n = 0; JSON.parse(stage.playhead()).of < ENTRIES; n++) {
    stage.runUntil(1_000_000 + n * 40_000);
    const topic = `room/${n % 40}/temperature`;
    tell({ do: 'publish', who: `c${(n * 7) % CLIENTS}`, topic, payload: `${n}`, qos: n % 3, retain: true });
  }
  return stage;
}

/** Milliseconds that this process has had a processor: what others do on the machine doesn't count. */
const worked = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** How long something takes each time, in milliseconds: on average, at the 99th percentile, at most. */
function times(count, run) {
  const all = Array.from({ length: count }, (_, n) => {
    const begun = worked();
    run(n);
    return worked() - begun;
  }).sort((a, b) => a - b);
  const sum = all.reduce((a, b) => a + b, 0);
  const at = (part) => all[Math.min(all.length - 1, Math.floor(all.length * part))] ?? 0;
  return { count: all.length, mean: sum / all.length, p99: at(0.99), max: at(1) };
}

let missed = 0;
function judge(what, found, bound, unit) {
  const over = found > bound;
  missed += over ? 1 : 0;
  console.log(`${over ? 'MISSED' : 'held  '} ${what}: ${found.toFixed(2)} of ${bound} ${unit} at most`);
}
const show = (what, { count, mean, p99, max }) =>
  console.log(
    `       ${what}: ${mean.toFixed(2)} ms mean, ${p99.toFixed(2)} p99, ${max.toFixed(2)} max (${count} times)`,
  );

const before = memory.buffer.byteLength;
const begun = worked();
const stage = crowd();
const { of } = JSON.parse(stage.playhead());
console.log(`       ${of} entries of ${CLIENTS} clients in ${(worked() - begun).toFixed(0)} ms`);
judge('keyframes by their own account', MiB(stage.keyframeBytes()), MiB(KEYFRAME_BYTES), 'MiB');
judge('memory that the wasm took for all of it', MiB(memory.buffer.byteLength - before), MiB(KEYFRAME_BYTES), 'MiB');

// Far from each other, so that each goes back to a keyframe; the last of a moment is the dearest.
const anywhere = times(1_000, (n) => stage.seek((n * 7_919) % of));
show('rewind to an entry', anywhere);
judge('rewind to anywhere', anywhere.max, 50, 'ms');
const back = times(300, () => stage.stepBack());
show('step back', back);
judge('a step back', back.max, 50, 'ms');

stage.seek(-1);
const steps = times(of, () => stage.step());
show('step', steps);
judge('a step', steps.max, 16, 'ms');

stage.seek(of - 1);
// What the page reads once a frame.
const views = times(100, () => [stage.playhead(), stage.next(), stage.sessions(), stage.topics()].map(JSON.parse));
show('playhead, next, sessions and topics', views);
judge('what a frame reads', views.p99, 16, 'ms');
show(
  'a check',
  times(100, () => stage.check('{"count":{"of":{"told":{"who":"c199"}},"min":10000}}')),
);
show(
  'the whole log as JSON',
  times(10, () => stage.log(0)),
);
show(
  'the whole log as text',
  times(10, () => stage.text()),
);
console.log(`       memory of the wasm is ${MiB(memory.buffer.byteLength)} MiB`);
stage.free();
process.exitCode = missed > 0 ? 1 : 0;
