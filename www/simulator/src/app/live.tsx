// What is said to those who listen: after a step one sentence about it, while time runs nothing, and at the pause how
// much has happened.

import { effect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Model } from '../stage/model';
import type { Entry } from '../stage/types';
import type { Person, Words } from '../view/props';
import { sentence } from '../view/words';

/** Of a moment the entry that began it, and what users were told in it. */
export function momentWords(entries: readonly Entry[], from: number, to: number, people: readonly Person[], t: Words) {
  // What somebody predicts is answered by the question itself.
  const passed = entries.slice(from, to).filter((entry) => !('command' in entry && entry.command.do === 'predict'));
  const first = passed.find((entry) => !('decision' in entry));
  const told = passed.filter((entry) => 'told' in entry && entry !== first);
  const said = first && !('told' in first) ? [first, ...told] : told.length > 0 ? told : first ? [first] : [];
  return said.map((entry) => `${sentence(entry, entries, people, t)}.`.replace(/([.!?…])\.$/u, '$1')).join(' ');
}

export function useSpokenSteps(model: Model, people: readonly Person[], t: Words, say: (text: string) => void): void {
  useEffect(() => {
    let ranFrom: number | null = null;
    let first = true;
    return effect(() => {
      const { how, from, to } = model.moved.value;
      const playing = model.playing.value;
      const entries = model.entries.peek();
      if (first) {
        first = false;
        return;
      }
      if (playing) {
        ranFrom ??= how === 'run' ? from : to;
        return;
      }
      if (ranFrom !== null) {
        const events = model.playhead.peek().entries - ranFrom;
        const told = entries.slice(ranFrom, to).findLast((entry) => 'told' in entry);
        ranFrom = null;
        say(
          [t.transport.paused(Math.max(0, events)), told && sentence(told, entries, people, t)]
            .filter(Boolean)
            .join('. '),
        );
      } else if (how === 'step' || how === 'command') {
        const words = momentWords(entries, from, to, people, t);
        if (words) say(words);
      } else if (how === 'back' || how === 'seek') {
        const last = entries[to - 1];
        say(last ? sentence(last, entries, people, t) : t.transport.toStart);
      }
    });
  }, [model, people, t, say]);
}
