// A language is fetched when somebody wants it.

import type { Words } from '../view/props';
import type { Language } from './text';

export const LANGUAGES: readonly { readonly id: Language; readonly name: string }[] = [
  { id: 'ko', name: '한국어' },
  { id: 'en', name: 'English' },
];

export async function loadWords(language: Language): Promise<Words> {
  return language === 'ko' ? (await import('./ko')).ko : (await import('./en')).en;
}
