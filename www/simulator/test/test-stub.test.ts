// The MQTT.js test of a scenario is written to a file and run with Node, as whoever exports one would do.

import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { presetScenario } from '../src/app/sandbox/presets';
import { LESSONS } from '../src/lessons/index';
import { Model } from '../src/stage/model';
import { testStub } from '../src/stage/test-stub';
import type { StageCommand, StageScenario } from '../src/stage/types';
import { ManualFrames, realStage } from './stage';

// Inside the workspace, so that mqtt and wasmqtt are found.
const folder = fileURLToPath(new URL('../generated/stubs/', import.meta.url));

beforeAll(() => {
  realStage();
  mkdirSync(folder, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

type Deeds = readonly (readonly [number, StageCommand])[];

function stubOf(scenario: StageScenario, deeds: Deeds, until: number): string {
  const model = new Model(JSON.stringify(scenario), 0, new ManualFrames());
  for (const [at, command] of deeds) {
    model.runUntil(at);
    if (!model.command(command, true)) throw new Error(`refused: ${model.refused.value?.message}`);
  }
  model.runUntil(until);
  return testStub(scenario, model.entries.value);
}

function run(name: string, stub: string): { status: number | null; output: string } {
  const file = `${folder}${name}.test.mjs`;
  writeFileSync(file, stub);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--test', file], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, output: `${stdout}${stderr}` };
}

const s = (seconds: number) => seconds * 1_000_000;

test('retained, QoS 1 and 2, wildcards, 5.0 properties: what the Stage delivered, MQTT.js gets', () => {
  const stub = stubOf(
    presetScenario('home'),
    [
      [
        s(5),
        {
          do: 'publish',
          who: 'restroom',
          topic: 'home/restroom/temperature',
          payload: 'it\'s "warm" \\ 21 ℃',
          qos: 2,
          user: [['unit', '℃']],
          content_type: 'text/plain',
        },
      ],
      [s(6), { do: 'add_client', client: { id: 'new one', version: '3.1.1' } }],
      [s(7), { do: 'connect', who: 'new one', clean_start: true }],
      [s(8), { do: 'subscribe', who: 'new one', filter: 'home/+/temperature', qos: 2 }],
      [s(9), { do: 'unsubscribe', who: 'phone', filter: 'home/+/temperature' }],
      [s(10), { do: 'publish', who: 'kitchen', topic: 'home/kitchen/temperature', payload: '22', qos: 1 }],
    ],
    s(15),
  );
  const { status, output } = run('home', stub);
  expect(status, `${output}\n${stub}`).toBe(0);
  expect(stub).toContain('"new one"'.replaceAll('"', "'"));
  expect(output).toMatch(/pass 1/);
});

test('a Will after a cut, none after DISCONNECT, a Session that waits', () => {
  const stub = stubOf(
    {
      v: 1,
      clients: [
        {
          id: 'kitchen',
          will: { topic: 'home/kitchen/will', payload: 'kitchen network is dead!', qos: 1, retain: true },
        },
        { id: 'phone', clean_start: false, session_expiry_s: 3600 },
      ],
    },
    [
      [0, { do: 'connect', who: 'phone' }],
      [s(1), { do: 'subscribe', who: 'phone', filter: 'home/#', qos: 1 }],
      [s(2), { do: 'connect', who: 'kitchen' }],
      [s(3), { do: 'disconnect', who: 'kitchen' }],
      [s(4), { do: 'connect', who: 'kitchen' }],
      [s(5), { do: 'disconnect', who: 'phone' }],
      [s(6), { do: 'cut', who: 'kitchen' }],
      [s(10), { do: 'connect', who: 'phone' }],
    ],
    s(12),
  );
  const { status, output } = run('will', stub);
  expect(status, `${output}\n${stub}`).toBe(0);
});

test('it fails when the story ends in another way', () => {
  const stub = stubOf(
    presetScenario('kitchen'),
    [[s(5), { do: 'publish', who: 'kitchen', topic: 'home/kitchen/temperature', payload: '21' }]],
    s(7),
  );
  expect(run('right', stub).status).toBe(0);
  const other = stub.replace("Buffer.from('21')", "Buffer.from('22')");
  expect(other).not.toBe(stub);
  const { status, output } = run('wrong', other);
  expect(status).not.toBe(0);
  expect(output).toContain('Expected values to be strictly deep-equal');
});

test('what real clients can’t do stays as a comment, and every lesson gives a test that runs', () => {
  const stubs = LESSONS.map((lesson) => {
    const scenario: StageScenario = { ...lesson.scenario, goal: lesson.check };
    const model = new Model(JSON.stringify(scenario), lesson.scenario.begin ?? 0, new ManualFrames());
    for (const [at, command] of lesson.solution) {
      if (at !== 'settled') model.runUntil(at);
      for (let n = 0; n < 100 && at === 'settled' && !model.settled(); n += 1)
        model.runUntil(model.playhead.value.at + 100_000);
      model.command(command as StageCommand, true);
    }
    model.runUntil(model.playhead.value.at + s(3));
    return [lesson.id, testStub(scenario, model.entries.value)] as const;
  });
  const qos1 = stubs.find(([id]) => id === 'qos-1')?.[1] ?? '';
  expect(qos1).toMatch(/\/\/ Only on the Stage: .*"do":"cut_when"/);
  expect(qos1).toContain('// assert.deepEqual');
  for (const [id, stub] of stubs) writeFileSync(`${folder}lesson-${id}.test.mjs`, stub);
  const files = stubs.map(([id]) => `${folder}lesson-${id}.test.mjs`);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--test', ...files], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
  expect(stdout).toMatch(/pass 19/);
});
