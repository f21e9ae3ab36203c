// Keys of the Stage. They are read by where they lie (`event.code`), so that they work with the Hangul input on, and left
// alone while somebody writes or a syllable is being put together. All can be turned off.

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { type Scene, TABS } from './scene';
import { settings } from './settings';
import { useShell } from './shell';

/** Whether the list of keys is open. */
export const helpOpen = signal(false);

export type KeyDeed =
  | 'toggle'
  | 'step'
  | 'back'
  | 'start'
  | 'end'
  | 'delivery'
  | 'timer'
  | 'help'
  | `view`
  | `tab${number}`;

export interface KeyLike {
  readonly code: string;
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
  readonly isComposing: boolean;
}

const CODES: Readonly<Record<string, KeyDeed>> = {
  Space: 'toggle',
  ArrowRight: 'step',
  ArrowLeft: 'back',
  Home: 'start',
  End: 'end',
  Period: 'delivery',
  Comma: 'timer',
  Digit1: 'view',
  Digit2: 'tab0',
  Digit3: 'tab1',
  Digit4: 'tab2',
  Digit5: 'tab3',
  Digit6: 'tab4',
};

/** What a key means, wherever the focus is. */
export function deedOf(event: KeyLike): KeyDeed | null {
  if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return null;
  if (event.key === '?' || (event.code === 'Slash' && event.shiftKey)) return 'help';
  if (event.shiftKey) return null;
  return CODES[event.code] ?? null;
}

/** Where keys are for writing, or do something of their own. */
function takes(target: Element | null, deed: KeyDeed): boolean {
  if (!target) return false;
  if (target.closest('input:not([type=checkbox]):not([type=range]), textarea, select, [contenteditable=true]'))
    return true;
  if (target.closest('dialog, [role=menu]')) return deed !== 'help';
  if (deed === 'toggle') return target.closest('button, a, summary, input, [role=button], [role=tab]') !== null;
  const arrows = deed === 'step' || deed === 'back' || deed === 'start' || deed === 'end';
  return (
    arrows && target.closest('[role=tablist], [role=listbox], [role=tree], [role=grid], input[type=range]') !== null
  );
}

export function perform(deed: KeyDeed, scene: Scene): void {
  const model = scene.model.value;
  if (deed === 'toggle') model.toggle();
  else if (deed === 'step') model.step();
  else if (deed === 'back') model.stepBack();
  else if (deed === 'start') model.toBeginning();
  else if (deed === 'end') model.toEnd();
  else if (deed === 'delivery') model.nextDelivery();
  else if (deed === 'timer') model.nextTimer();
  else if (deed === 'help') helpOpen.value = !helpOpen.value;
  else if (deed === 'view') scene.view.value = scene.view.value === 'map' ? 'ladder' : 'map';
  else scene.tab.value = TABS[Number(deed.slice(3))] ?? scene.tab.value;
}

export function useKeys(scene: Scene, on: boolean): void {
  const { root } = useShell();
  useEffect(() => {
    if (!on) return undefined;
    const listen = (event: Event) => {
      const key = event as KeyboardEvent;
      if (!settings.value.keys || key.defaultPrevented) return;
      const deed = deedOf(key);
      const target = key.composedPath()[0];
      if (!deed || (target instanceof Element && takes(target, deed))) return;
      key.preventDefault();
      perform(deed, scene);
    };
    // In the whole page, as the focus may be nowhere; an element inside another page listens only to itself.
    const where = root instanceof ShadowRoot && !root.host.hasAttribute('app') ? root : document;
    where.addEventListener('keydown', listen);
    return () => where.removeEventListener('keydown', listen);
  }, [scene, on, root]);
}
