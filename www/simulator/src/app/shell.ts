// What every part of the page may ask for: the words, the reader's wishes, and where to say something aloud.

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Language } from '../i18n/text';
import type { Words } from '../view/props';

/** What a page around this one is told, as a message of a frame and as an event of the element. */
export type Report =
  | { readonly event: 'ready'; readonly lesson: string | null }
  | { readonly event: 'step'; readonly lesson: string | null; readonly entries: number; readonly at: number }
  | { readonly event: 'passed'; readonly lesson: string | null };

export interface Shell {
  readonly t: Words;
  readonly language: Language;
  /** Inside somebody else's page: no header, no way out of what is shown. */
  readonly embedded: boolean;
  /** Says a sentence to those who listen instead of looking. */
  readonly say: (text: string) => void;
  readonly report: (report: Report) => void;
  /** Where the page is drawn; focus is asked for here. */
  readonly root: ShadowRoot | Document;
}

export const ShellContext = createContext<Shell | null>(null);

export function useShell(): Shell {
  const shell = useContext(ShellContext);
  if (!shell) throw new Error('drawn outside of the element');
  return shell;
}
