// How a reader wants the page: language, colours, motion, keys. Kept in the browser.

import { effect, signal } from '@preact/signals';
import type { Language } from '../i18n/text';
import { readObject, write } from './store';

export type Theme = 'system' | 'light' | 'dark';
export type Motion = 'system' | 'less';

export interface Settings {
  /** `null`: as the browser asks. */
  readonly language: Language | null;
  readonly theme: Theme;
  readonly motion: Motion;
  readonly keys: boolean;
}

function stored(): Settings {
  const { language, theme, motion, keys } = readObject('settings');
  return {
    language: language === 'ko' || language === 'en' ? language : null,
    theme: theme === 'light' || theme === 'dark' ? theme : 'system',
    motion: motion === 'less' ? 'less' : 'system',
    keys: keys !== false,
  };
}

export const settings = signal<Settings>(stored());

export function change(some: Partial<Settings>): void {
  settings.value = { ...settings.value, ...some };
  write('settings', JSON.stringify(settings.value));
}

/** Puts the theme on an element, now and whenever it changes; with `page` on the whole page too. */
export function followTheme(element: HTMLElement, page: boolean): () => void {
  return effect(() => {
    const { theme } = settings.value;
    if (theme === 'system') delete element.dataset.theme;
    else element.dataset.theme = theme;
    if (page) document.documentElement.style.colorScheme = theme === 'system' ? '' : theme;
  });
}

/** The language that the browser asks for: Korean for those who read it before English, else English. */
export function browserLanguage(asked: readonly string[] = navigator.languages): Language {
  for (const tag of asked) {
    const language = tag.toLowerCase().split('-')[0];
    if (language === 'ko' || language === 'en') return language;
  }
  return 'en';
}
