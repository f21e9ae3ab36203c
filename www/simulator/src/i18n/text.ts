// What people read. A text has all languages or doesn't compile; a language more is a field more here, and the compiler
// then lists every text that lacks it.
//
// Korean is written in 해요체 throughout, in lessons and on buttons' explanations alike: it is how a person explains
// something to another at the same table, and 합니다체 in a sentence of six words sounds like a notice on a wall.
// Labels (buttons, columns, tabs) are nouns or noun phrases and have no ending at all.
//
// Backticks mark what stands on the wire (topics, payloads, packet fields) and become <code>. Nothing else is markup.

/** The languages of the page. */
export type Language = 'ko' | 'en';

/** One text in every language. */
export type Text = { readonly [language in Language]: string };

/** The same in one language only: what a page keeps after the language was chosen. */
export type In<T> = T extends Text
  ? string
  : T extends readonly unknown[]
    ? { readonly [index in keyof T]: In<T[index]> }
    : T extends object
      ? { readonly [key in keyof T]: In<T[key]> }
      : T;

function isText(value: object): value is Text {
  return 'ko' in value && 'en' in value;
}

/** Replaces every text in a piece of data by its words in one language. */
export function inLanguage<T>(value: T, language: Language): In<T> {
  if (typeof value !== 'object' || value === null) return value as In<T>;
  if (isText(value)) return value[language] as In<T>;
  if (Array.isArray(value)) return value.map((one) => inLanguage(one, language)) as In<T>;
  const entries = Object.entries(value).map(([key, one]) => [key, inLanguage(one, language)]);
  return Object.fromEntries(entries) as In<T>;
}
