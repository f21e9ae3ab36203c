// A lesson while somebody is at it: what was predicted, how far the goal is reached, which trap was sprung, how many hints
// were asked for, and the solution when it plays itself.

import { batch, effect, signal, untracked } from '@preact/signals';
import type { Lesson, Trap } from '../lessons/lesson';
import type { Micros } from '../lessons/stage';
import type { Frames } from '../stage/model';
import type { StageCommand, Verdict } from '../stage/types';
import { Scene, TABS, type Tab } from './scene';

/** The scenario of a lesson as the Stage takes it. */
export function scenarioOf(lesson: Lesson): string {
  return JSON.stringify({ ...lesson.scenario, goal: lesson.check });
}

export class LessonRun {
  readonly lesson: Lesson;
  readonly scene: Scene;
  readonly answer = signal<string | null>(null);
  readonly hints = signal(0);
  readonly passed = signal(false);
  readonly verdict = signal<Verdict>({ holds: false });
  readonly trap = signal<Trap | null>(null);
  /** The solution plays. */
  readonly showing = signal(false);
  readonly #stops: (() => void)[] = [];
  #next = 0;

  constructor(lesson: Lesson, frames?: Frames) {
    this.lesson = lesson;
    this.scene = new Scene(scenarioOf(lesson), frames);
    const { at } = lesson.look;
    if ((TABS as readonly string[]).includes(at)) this.scene.tab.value = at as Tab;
    this.#stops.push(effect(() => this.#judge()));
    this.#stops.push(effect(() => this.#goOn()));
  }

  /** What the learner thinks will happen; it goes into the log, as long as nothing lies behind the playhead. */
  predict(option: string): void {
    if (this.answer.value !== null) return;
    const { entries, of } = this.scene.model.value.playhead.value;
    if (entries === of) this.scene.model.value.command({ do: 'predict', option }, true);
    this.answer.value = option;
  }

  give(commands: readonly StageCommand[]): void {
    for (const command of commands) if (!this.scene.model.value.command(command)) return;
  }

  startOver(): void {
    batch(() => {
      this.showing.value = false;
      this.passed.value = false;
      this.trap.value = null;
      this.scene.startOver();
    });
  }

  showSolution(): void {
    this.startOver();
    this.#next = 0;
    this.showing.value = true;
  }

  free(): void {
    for (const stop of this.#stops) stop();
    this.scene.free();
  }

  /** The same question after everything that happens, and as time passes: some goals want a while of silence. */
  #judge(): void {
    const model = this.scene.model.value;
    void model.playhead.value;
    // What was refused just now leaves no entry in the log, yet checks know it.
    void model.refused.value;
    const verdict = model.check(this.lesson.check);
    batch(() => {
      this.verdict.value = verdict;
      if (verdict.holds) this.passed.value = true;
      const sprung = verdict.holds ? undefined : this.lesson.traps.find(({ when }) => model.check(when).holds);
      this.trap.value = sprung ?? null;
    });
  }

  /** Gives the next command of the solution when its time has come. */
  #goOn(): void {
    const model = this.scene.model.value;
    const { at } = model.playhead.value;
    const playing = model.playing.value;
    if (!this.showing.value) return;
    untracked(() => this.#nextOfSolution(at, playing));
  }

  #nextOfSolution(at: Micros, playing: boolean): void {
    const model = this.scene.model.value;
    const step = this.lesson.solution[this.#next];
    if (!step) {
      if (!playing) this.showing.value = false;
      return;
    }
    const [when, command] = step;
    const settled = model.settled();
    if (when === 'settled' ? !settled : at < when) {
      if (when !== 'settled' && settled) model.runUntil(when);
      else if (!playing) model.playUntilSettled();
      return;
    }
    this.#next += 1;
    model.command(command);
  }
}
