// What makes a form do its work. Frames may be forbidden to submit forms, so nothing is submitted: the button acts by
// itself, and Enter in a field is the button.

import type { HTMLAttributes } from 'preact';

export function submitsBy(act: () => void): Pick<HTMLAttributes<HTMLFormElement>, 'onSubmit' | 'onKeyDown'> {
  return {
    onSubmit: (event) => event.preventDefault(),
    onKeyDown: (event) => {
      if (event.key !== 'Enter' || event.isComposing || !(event.target instanceof HTMLInputElement)) return;
      event.preventDefault();
      act();
    },
  };
}
