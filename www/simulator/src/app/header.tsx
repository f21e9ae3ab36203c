// The page's head: where one is, where one can go, language and settings.

import { useEffect, useRef, useState } from 'preact/hooks';
import { LANGUAGES } from '../i18n/load';
import type { Language } from '../i18n/text';
import { Icon } from './icons';
import { helpOpen } from './keys';
import { href, type Route } from './router';
import { change, type Motion, settings, type Theme } from './settings';
import { useShell } from './shell';

export function Mark() {
  return (
    <svg class="mark-logo" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
      <rect x="1" y="1" width="30" height="30" rx="9" fill="var(--accent)" />
      <g fill="none" stroke="var(--on-accent)" stroke-width="2.2" stroke-linecap="round">
        <path d="M8 11h8" />
        <path d="M16 11v10" />
        <path d="M16 21h8" />
      </g>
      <circle cx="16" cy="16" r="3.6" fill="var(--on-accent)" />
      <circle cx="7.500" cy="11" r="2.200" fill="var(--on-accent)" />
      <circle cx="24.500" cy="21" r="2.200" fill="var(--on-accent)" />
    </svg>
  );
}

export function Header({ route }: { readonly route: Route }) {
  const { t } = useShell();
  const here = (at: Route['at'][]) => (at.includes(route.at) ? 'page' : undefined);
  return (
    <header class="page-head">
      <a class="brand" href={href.start} title={t.stage.leave}>
        <Mark />
        <span>
          {t.app.brand} <small>{t.app.brandSub}</small>
        </span>
      </a>
      <nav class="page-nav" aria-label={t.app.menu}>
        <a href={href.learn} aria-current={here(['learn', 'lesson'])}>
          {t.start.learn}
        </a>
        <a href={href.sandbox()} aria-current={here(['sandbox', 'link'])}>
          {t.start.sandbox}
        </a>
        <a href={href.glossary()} aria-current={here(['glossary'])}>
          {t.start.glossary}
        </a>
      </nav>
      <div class="page-tools">
        <LanguageChoice />
        <SettingsButton />
        <button
          type="button"
          class="tool tool-help"
          aria-label={t.stage.help}
          title={t.stage.help}
          onClick={() => {
            helpOpen.value = true;
          }}
        >
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}

export function LanguageChoice() {
  const { t, language } = useShell();
  return (
    // biome-ignore lint/a11y/useSemanticElements: buttons that stay pressed are a group, a fieldset is for forms
    <div class="segments languages" role="group" aria-label={t.app.languageChoice}>
      {LANGUAGES.map(({ id, name }) => (
        <button
          key={id}
          type="button"
          lang={id}
          aria-pressed={id === language}
          title={name}
          onClick={() => change({ language: id as Language })}
        >
          <span class="wide-only">{name}</span>
          <span class="narrow-only">{id === 'ko' ? '한' : 'EN'}</span>
        </button>
      ))}
    </div>
  );
}

function SettingsButton() {
  const { t } = useShell();
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return undefined;
    const away = (event: Event) => {
      if (box.current && !event.composedPath().includes(box.current)) setOpen(false);
    };
    const leave = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener('pointerdown', away);
    document.addEventListener('keydown', leave);
    return () => {
      document.removeEventListener('pointerdown', away);
      document.removeEventListener('keydown', leave);
    };
  }, [open]);
  const { theme, motion, keys } = settings.value;
  const radios = <T extends string>(
    name: string,
    legend: string,
    words: Record<T, string>,
    now: T,
    set: (v: T) => void,
  ) => (
    <fieldset>
      <legend>{legend}</legend>
      {(Object.entries(words) as [T, string][]).map(([value, label]) => (
        <label key={value}>
          <input type="radio" name={name} checked={value === now} onChange={() => set(value)} />
          {label}
        </label>
      ))}
    </fieldset>
  );
  return (
    <div class="popover-box" ref={box}>
      <button
        type="button"
        class="tool"
        ref={button}
        aria-label={t.app.settings}
        title={t.app.settings}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name="settings" />
      </button>
      {open && (
        <div class="popover" role="dialog" aria-label={t.app.settings}>
          {radios<Theme>('theme', t.start.theme, t.start.themes, theme, (value) => change({ theme: value }))}
          {radios<Motion>('motion', t.app.motion, t.app.motions, motion, (value) => change({ motion: value }))}
          <fieldset>
            <legend>{t.keys.title}</legend>
            <label>
              <input
                type="checkbox"
                checked={keys}
                onChange={(event) => change({ keys: event.currentTarget.checked })}
              />
              {t.keys.enabled}
            </label>
          </fieldset>
        </div>
      )}
    </div>
  );
}
