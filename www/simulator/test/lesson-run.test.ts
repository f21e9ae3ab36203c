// Every lesson as the page plays it: the solution passes, the start doesn't, and what people try ends as it is written
// in attempts.json, with the traps that it springs.

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { LessonRun } from '../src/app/lesson-run';
import { LESSONS } from '../src/lessons/index';
import type { Lesson } from '../src/lessons/lesson';
import type { StageCommand } from '../src/stage/types';
import { ManualFrames, realStage } from './stage';

beforeAll(realStage);

interface Attempt {
  readonly lesson: string;
  readonly what: string;
  readonly passes: boolean;
  readonly traps: readonly number[];
  readonly commands: readonly (readonly [number | 'settled', StageCommand])[];
}

const ATTEMPTS: readonly Attempt[] = JSON.parse(readFileSync(new URL('attempts.json', import.meta.url), 'utf8'));
/** So long somebody waits at the end for something to happen. */
const PATIENCE_US = 60_000_000;

/** Plays commands at their times; `sprung` collects the traps that were sprung on the way. */
function play(lesson: Lesson, commands: Attempt['commands']): { run: LessonRun; sprung: Set<number> } {
  const frames = new ManualFrames();
  const run = new LessonRun(lesson, frames);
  const model = run.scene.model.value;
  model.speed.value = 10;
  const sprung = new Set<number>();
  const look = () => {
    for (const [index, { when }] of lesson.traps.entries()) {
      if (model.check(when).holds) sprung.add(index);
    }
    const { value } = run.trap;
    if (value) sprung.add(lesson.traps.indexOf(value));
  };
  const passUntil = (due: () => boolean) => {
    for (let n = 0; n < 10_000 && !due(); n += 1) {
      if (!model.playing.value) model.play();
      frames.pass(1);
      look();
    }
    model.pause();
  };
  for (const [at, command] of commands) {
    passUntil(() => (at === 'settled' ? model.settled() : model.playhead.value.at >= at));
    model.command(command);
    look();
  }
  const end = model.playhead.value.at + PATIENCE_US;
  passUntil(() => run.passed.value || model.playhead.value.at >= end);
  return { run, sprung };
}

describe.each(LESSONS.map((lesson) => [lesson.id, lesson] as const))('%s', (id, lesson) => {
  test('is not passed at its start, nor by waiting', () => {
    const { run, sprung } = play(lesson, []);
    expect(run.passed.value).toBe(false);
    expect([...sprung]).toEqual([]);
    run.free();
  });

  test('shows its solution, which passes', () => {
    const frames = new ManualFrames();
    const run = new LessonRun(lesson, frames);
    run.showSolution();
    frames.pass(200_000);
    const model = run.scene.model.value;
    for (let n = 0; n < 2000 && !run.passed.value; n += 1) model.runUntil(model.playhead.value.at + 100_000);
    expect(run.passed.value).toBe(true);
    expect(run.showing.value).toBe(false);
    expect(run.trap.value).toBeNull();
    run.startOver();
    expect(run.passed.value).toBe(false);
    run.free();
  });

  test.each(ATTEMPTS.filter((attempt) => attempt.lesson === id))('$what', ({ passes, traps, commands }) => {
    const { run, sprung } = play(lesson, commands);
    expect(run.passed.value).toBe(passes);
    for (const trap of traps) expect([...sprung]).toContain(trap);
    run.free();
  });
});

test('a command that is refused springs its trap', () => {
  const lesson = LESSONS.find(({ id }) => id === 'last-will');
  if (!lesson) throw new Error('it is there');
  const run = new LessonRun(lesson, new ManualFrames());
  run.give([{ do: 'disconnect', who: 'kitchen' }]);
  run.give([{ do: 'cut', who: 'kitchen' }]);
  expect(run.scene.model.value.refused.value?.kind).toBe('not_connected');
  expect(lesson.traps.indexOf(run.trap.value ?? lesson.traps[0])).toBe(1);
  run.free();
});
