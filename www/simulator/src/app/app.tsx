// The page: its head, the screen that the address names, and the place from which everything is said aloud.

import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { loadWords } from '../i18n/load';
import type { Language } from '../i18n/text';
import { loadStage } from '../stage/door';
import type { Words } from '../view/props';
import { Failure } from './failure';
import { Header } from './header';
import { Help } from './help';
import { lazy } from './lazy';
import { LessonScreen } from './lesson-screen';
import { Loading } from './loading';
import { type Route, routeOf } from './router';
import { settings } from './settings';
import { type Report, type Shell, ShellContext } from './shell';
import { Learn, Start } from './start';

const Sandbox = lazy(async () => (await import('./sandbox/sandbox-screen')).SandboxScreen);
const LinkScreen = lazy(async () => (await import('./link-screen')).LinkScreen);
const Glossary = lazy(async () => (await import('./glossary')).Glossary);

interface FrameProps {
  readonly language: Language;
  readonly embedded: boolean;
  readonly root: ShadowRoot | Document;
  readonly report: (report: Report) => void;
  readonly children: ComponentChildren;
}

/** Words and voice for whatever is inside. */
export function Frame({ language, embedded, root, report, children }: FrameProps) {
  const [words, setWords] = useState<{ language: Language; t: Words } | null>(null);
  const [failed, setFailed] = useState(false);
  const spoken = useMemo(() => signal(''), []);
  useEffect(() => {
    let wanted = true;
    loadWords(language).then(
      (t) => wanted && setWords({ language, t }),
      () => wanted && setFailed(true),
    );
    return () => {
      wanted = false;
    };
  }, [language]);
  const shell = useMemo<Shell | null>(() => {
    if (!words) return null;
    const say = (text: string) => {
      // The same sentence twice is said twice only if it differs.
      spoken.value = spoken.peek() === text ? `${text}\u00a0` : text;
    };
    return { t: words.t, language: words.language, embedded, say, report, root };
  }, [words, embedded, report, root, spoken]);
  if (failed) return <p role="alert">The page could not be loaded. · 페이지를 불러오지 못했어요.</p>;
  if (!shell) return null;
  return (
    <ShellContext.Provider value={shell}>
      <div class="frame" lang={shell.language} data-motion={settings.value.motion} data-embedded={embedded}>
        {children}
        <Voice text={spoken} />
        <Help />
      </div>
    </ShellContext.Provider>
  );
}

function Voice({ text }: { readonly text: { readonly value: string } }) {
  return (
    <div class="unseen" role="status" aria-live="polite" data-voice>
      {text.value}
    </div>
  );
}

/** Whatever is inside waits for the Stage's WebAssembly. */
export function WithStage({ children }: { readonly children: ComponentChildren }) {
  const [state, setState] = useState<'waits' | 'there' | 'failed'>('waits');
  useEffect(() => {
    loadStage().then(
      () => setState('there'),
      () => setState('failed'),
    );
  }, []);
  if (state === 'there') return <>{children}</>;
  return state === 'waits' ? <Loading /> : <NoStage />;
}

function NoStage() {
  return (
    <ShellContext.Consumer>
      {(shell) =>
        shell && (
          <Failure
            title={shell.t.errors.title}
            says={typeof WebAssembly === 'undefined' ? shell.t.plain.noWasm : shell.t.plain.loadFailed}
          />
        )
      }
    </ShellContext.Consumer>
  );
}

function Screen({ route }: { readonly route: Route }) {
  switch (route.at) {
    case 'start':
      return <Start />;
    case 'learn':
      return <Learn />;
    case 'glossary':
      return <Glossary term={route.term} />;
    case 'lesson':
      return (
        <WithStage>
          <LessonScreen id={route.id} />
        </WithStage>
      );
    case 'sandbox':
      return (
        <WithStage>
          <Sandbox key={route.preset} preset={route.preset} />
        </WithStage>
      );
    case 'link':
      return (
        <WithStage>
          <LinkScreen key={route.link} link={route.link} />
        </WithStage>
      );
    case 'unknown':
      return <Unknown />;
  }
}

function Unknown() {
  return (
    <ShellContext.Consumer>
      {(shell) => shell && <Failure title={shell.t.errors.title} says={shell.t.errors.notALink} />}
    </ShellContext.Consumer>
  );
}

const FULL_HEIGHT: ReadonlySet<Route['at']> = new Set(['lesson', 'sandbox', 'link']);

/** The whole page, led by the fragment of its address. */
export function App({ embedded }: { readonly embedded: boolean }) {
  const [route, setRoute] = useState<Route>(() => routeOf(location.hash));
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  // Before anything else can happen: an address that changed between would be passed over.
  useLayoutEffect(() => {
    const listen = () => setRoute(routeOf(location.hash));
    addEventListener('hashchange', listen);
    return () => removeEventListener('hashchange', listen);
  }, []);
  // Another screen begins at its top, with the focus there
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    scrollTo(0, 0);
    main.current?.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [route]);
  return (
    <ShellContext.Consumer>
      {(shell) =>
        shell && (
          <div class="page" data-at={route.at} data-full={FULL_HEIGHT.has(route.at)}>
            {!embedded && (
              <>
                <button type="button" class="skip" onClick={() => main.current?.focus()}>
                  {shell.t.skip}
                </button>
                <Header route={route} />
              </>
            )}
            <main ref={main} tabIndex={-1} aria-label={shell.t.app.main}>
              <Screen route={route} />
            </main>
          </div>
        )
      }
    </ShellContext.Consumer>
  );
}
