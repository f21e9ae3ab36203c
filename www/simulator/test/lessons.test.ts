import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { en } from '../src/i18n/en';
import { ko } from '../src/i18n/ko';
import { CONTENTS } from '../src/lessons/contents';
import { LESSONS } from '../src/lessons/index';
import type { Action, Lesson } from '../src/lessons/lesson';
import type { Command } from '../src/lessons/stage';
import { V5, V311 } from './sections';

/** All values of these keys, however deep. */
function valuesOf(value: unknown, keys: readonly string[]): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) =>
    keys.includes(key) && typeof one === 'string' ? [one] : valuesOf(one, keys),
  );
}

/** Whether a button of the lesson gives this command, with open fields filled in by the learner. */
function offers(action: Action, command: Command): boolean {
  const open = new Set((action.edit ?? []).map((name) => name.split('.')[0]));
  const rest = (one: Command) =>
    Object.fromEntries(
      Object.entries(one)
        .filter(([key]) => !open.has(key))
        .sort(),
    );
  return action.commands.some((one) => JSON.stringify(rest(one)) === JSON.stringify(rest(command)));
}

test('numbers count from 1, ids are unique, the contents agree', async () => {
  expect(LESSONS.map(({ number }) => number)).toEqual(LESSONS.map((_, index) => index + 1));
  expect(LESSONS.length).toBe(19);
  expect(new Set(LESSONS.map(({ id }) => id)).size).toBe(LESSONS.length);
  expect(CONTENTS.map(({ id, number, minutes, title }) => ({ id, number, minutes, title }))).toEqual(
    LESSONS.map(({ id, number, minutes, title }) => ({ id, number, minutes, title })),
  );
  for (const [index, { load }] of CONTENTS.entries()) expect(await load()).toBe(LESSONS[index]);
});

// Saved progress and links name these. A lesson may be added, never renamed.
test('ids are what they were', () => {
  expect(LESSONS.map(({ id }) => id)).toEqual([
    'first-message',
    'nobody-knows',
    'topics-are-paths',
    'one-level',
    'the-rest',
    'dollar',
    'qos-0',
    'qos-1',
    'qos-2',
    'no-packet-loss',
    'two-hops',
    'retained',
    'last-will',
    'keep-alive',
    'presence',
    'sessions',
    'one-id',
    'in-flight',
    'restart',
  ]);
});

describe.each(LESSONS.map((lesson) => [lesson.id, lesson] as const))('%s', (_, lesson: Lesson) => {
  test('takes 3 to 6 minutes', () => {
    expect(lesson.minutes).toBeGreaterThanOrEqual(3);
    expect(lesson.minutes).toBeLessThanOrEqual(6);
  });

  test('has a question with one right answer', () => {
    const ids = lesson.question.options.map(({ id }) => id);
    expect(ids.length).toBeGreaterThanOrEqual(2);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain(lesson.question.right);
  });

  test('has three hints that differ, and a trap', () => {
    expect(new Set(lesson.hints.map(({ en }) => en)).size).toBe(3);
    expect(new Set(lesson.hints.map(({ ko }) => ko)).size).toBe(3);
    expect(lesson.traps.length).toBeGreaterThan(0);
  });

  test('names sections that both standards have', () => {
    for (const { v5, v311 } of lesson.sections) {
      expect(V5, v5).toContain(v5);
      expect(V311, v311).toContain(v311);
    }
  });

  test('speaks of clients that are there', () => {
    const ids = lesson.scenario.clients.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const { scenario, check, traps, solution, actions } = lesson;
    for (const who of valuesOf([scenario.script, check, traps, solution, actions], ['who', 'from', 'to'])) {
      expect(ids).toContain(who);
    }
  });

  test('can be solved with its buttons alone', () => {
    for (const [, command] of lesson.solution) {
      const found = lesson.actions.some((action) => offers(action, command));
      expect(found, JSON.stringify(command)).toBe(true);
    }
  });

  test('locks nothing that it needs', () => {
    const locked = lesson.scenario.lock ?? [];
    for (const [, command] of lesson.solution) expect(locked).not.toContain(command.do);
    for (const { commands } of lesson.actions) for (const one of commands) expect(locked).not.toContain(one.do);
  });

  test('has a script in the order of time, and begins within it or after', () => {
    const times = lesson.scenario.script.map(([at]) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Number.isInteger(lesson.scenario.begin ?? 0)).toBe(true);
  });

  test('quotes only what is on the screen', () => {
    const labels = (language: 'ko' | 'en') => [
      ...lesson.actions.map(({ label }) => label[language]),
      ...Object.values((language === 'ko' ? ko : en).stage.tabs),
    ];
    const missing = (language: 'ko' | 'en', quoted: RegExp) =>
      [...lesson.hints, lesson.look.text].flatMap((hint) =>
        [...hint[language].matchAll(quoted)]
          .map(([, label = '']) => label)
          .filter((label) => !labels(language).some((shown) => shown.includes(label))),
      );
    expect(missing('ko', /‘([^’]+)’/gu)).toEqual([]);
    expect(missing('en', /“([^”]+)”/gu)).toEqual([]);
  });
});

// Commands that people give who have not understood yet, and some who have: whether each passes, and which traps it
// springs on its way. Who plays solutions plays these too, so that no check is passed by accident.
describe('attempts', () => {
  interface Attempt {
    readonly lesson: string;
    readonly what: string;
    readonly passes: boolean;
    readonly traps: readonly number[];
    readonly commands: Lesson['solution'];
  }
  const attempts: readonly Attempt[] = JSON.parse(readFileSync(new URL('attempts.json', import.meta.url), 'utf8'));

  test('belong to lessons, and tell what is tried', () => {
    const ids = LESSONS.map(({ id }) => id);
    for (const { lesson, what } of attempts) {
      expect(ids).toContain(lesson);
      expect(what).not.toBe('');
    }
    expect(new Set(attempts.map(({ lesson, what }) => `${lesson}: ${what}`)).size).toBe(attempts.length);
  });

  test.each(LESSONS.map((lesson) => [lesson.id, lesson] as const))(
    '%s: every trap is sprung by one that fails',
    (id, lesson) => {
      const failed = attempts.filter(({ lesson, passes }) => lesson === id && !passes);
      expect(failed.length).toBeGreaterThan(0);
      const sprung = new Set(failed.flatMap(({ traps }) => traps));
      for (const index of lesson.traps.keys()) expect(sprung, `trap ${index}`).toContain(index);
    },
  );
});

// The same lessons as JSON, for who plays them without TypeScript. UPDATE_LESSONS=1 writes it anew; review decides.
test('lessons.json is what the lessons are', () => {
  const file = new URL('../src/lessons/generated/lessons.json', import.meta.url);
  const data = LESSONS.map(({ number, id, question, scenario, check, traps, solution }) => ({
    number,
    id,
    question: { options: question.options.map(({ id }) => id), right: question.right },
    scenario: { ...scenario, goal: check },
    check,
    traps: traps.map(({ when }) => when),
    solution,
  }));
  const text = `[\n${data.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`;
  if (process.env.UPDATE_LESSONS) writeFileSync(file, text);
  expect(readFileSync(file, 'utf8')).toBe(text);
});
