// What a lesson is made of. Lessons are data: the page shows them, and the tests play every solution and require that
// every start state fails.

import type { Text } from '../i18n/text';
import type { Atom, Check, Command, Micros, Scenario } from './stage';

/** One question, asked before anything moves, that can be answered by thinking. */
export interface Question {
  readonly ask: Text;
  readonly options: readonly { readonly id: string; readonly text: Text }[];
  /** The id of the right one. */
  readonly right: string;
  /** Shown after the answer, whatever it was. */
  readonly why: Text;
}

/** A button of the lesson: commands with everything filled in, of which the learner may change some fields. */
export interface Action {
  readonly label: Text;
  /** Given one after another at the same moment. */
  readonly commands: readonly Command[];
  /** Fields of the first command that are open, `will.retain` for one inside another; none: the button acts at once. */
  readonly edit?: readonly string[];
}

/** The usual mistake: how one knows it, and what to say. */
export interface Trap {
  readonly when: Check;
  readonly say: Text;
}

/** A section of both standards and one sentence of what it says, in our words. */
export interface Section {
  readonly v5: string;
  readonly v311: string;
  readonly says: Text;
}

export type Inspector = 'map' | 'ladder' | 'why' | 'packet' | 'session' | 'topics' | 'log';

export interface Lesson {
  /** Never changes: links and saved progress name it. */
  readonly id: string;
  readonly number: number;
  /** How long it takes. */
  readonly minutes: number;
  readonly title: Text;
  readonly story: Text;
  readonly question: Question;
  readonly goal: Text;
  readonly actions: readonly Action[];
  readonly scenario: Scenario;
  readonly check: Check;
  /** Each more direct than the one before. */
  readonly hints: readonly [Text, Text, Text];
  readonly traps: readonly [Trap, ...Trap[]];
  readonly sections: readonly [Section, ...Section[]];
  /** `settled` is the next moment when nothing is on its way and the script is over. */
  readonly solution: readonly (readonly [Micros | 'settled', Command])[];
  readonly look: { readonly at: Inspector; readonly text: Text };
  readonly closing: Text;
}

// Short forms for what checks say most.

/** The client's user got this message. */
export const told = (
  who: string,
  topic: string,
  more: { payload?: string; qos?: 0 | 1 | 2; retain?: boolean; dup?: boolean } = {},
): Atom => ({ told: { who, topic, ...more } });

/** So many entries, no more and no less. */
export const exactly = (times: number, of: Atom): Check => ({ count: { of, min: times, max: times } });
