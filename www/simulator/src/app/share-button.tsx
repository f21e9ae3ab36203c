// The button that opens the share dialog, which is fetched when it is wanted.

import { useState } from 'preact/hooks';
import type { Person } from '../view/props';
import { Icon } from './icons';
import { lazy } from './lazy';
import type { Scene } from './scene';
import { useShell } from './shell';

const Share = lazy(async () => (await import('./share')).Share);

export function ShareButton({ scene, people }: { readonly scene: Scene; readonly people: readonly Person[] }) {
  const { t } = useShell();
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="tool tool-wide" onClick={() => setOpen(true)}>
        <Icon name="share" />
        <span>{t.app.share}</span>
      </button>
      {open && <Share scene={scene} people={people} onClose={() => setOpen(false)} />}
    </>
  );
}
