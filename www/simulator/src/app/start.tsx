// The start page: what this is, two doors, and where one left off. And the list of lessons.

import { useState } from 'preact/hooks';
import { CONTENTS, type Entry } from '../lessons/contents';
import { Hero } from './hero';
import { Icon } from './icons';
import { readyOffline } from './offline';
import { forget, progress, resume } from './progress';
import { plain, Rich } from './rich';
import { href } from './router';
import { useShell } from './shell';
import { storageRefused } from './store';

export function Start() {
  const { t, language } = useShell();
  const { passed } = progress.value;
  const id = resume();
  const next = CONTENTS.find((entry) => entry.id === id);
  const title = next && plain(next.title[language]);
  return (
    <div class="start">
      <section class="start-hero">
        <div>
          <h1 tabIndex={-1}>{t.title}</h1>
          <p class="lead">{t.start.lead}</p>
          <p class="row">
            {next && title ? (
              <a class="button button-main button-large" href={href.lesson(next.id)}>
                <Icon name="play" />
                {passed.size === 0 && progress.value.last === null ? t.app.begin(title) : t.start.resume(title)}
              </a>
            ) : (
              <a class="button button-main button-large" href={href.sandbox()}>
                {t.start.sandbox}
              </a>
            )}
          </p>
        </div>
        <Hero />
      </section>
      <section class="doors" aria-label={t.app.menu}>
        <a class="door" href={href.learn}>
          <h2>
            {t.start.learn}
            <Icon name="next" />
          </h2>
          <p>{t.start.learnHint(CONTENTS.length)}</p>
          <Meter done={passed.size} all={CONTENTS.length} />
          <small>{t.start.progress(passed.size, CONTENTS.length)}</small>
        </a>
        <a class="door" href={href.sandbox()}>
          <h2>
            {t.start.sandbox}
            <Icon name="next" />
          </h2>
          <p>{t.start.sandboxHint}</p>
        </a>
      </section>
      <Contents />
      <footer class="start-foot soft">
        <p>{storageRefused.value ? t.errors.noStorage : t.start.private}</p>
        <Offline />
      </footer>
    </div>
  );
}

function Meter({ done, all }: { readonly done: number; readonly all: number }) {
  return (
    <span class="meter" aria-hidden="true">
      <i style={{ width: `${(done / all) * 100}%` }} />
    </span>
  );
}

const GROUPS = [
  ['begin', 1, 6],
  ['qos', 7, 11],
  ['state', 12, 13],
  ['live', 14, 19],
] as const;

export function Learn() {
  const { t } = useShell();
  const { passed } = progress.value;
  const all = CONTENTS.length;
  return (
    <div class="learn">
      <header class="learn-head">
        <h1 tabIndex={-1}>{t.start.learn}</h1>
        <p class="lead">{passed.size === all ? t.app.allPassed : t.start.learnHint(all)}</p>
        <p class="learn-progress">
          <Meter done={passed.size} all={all} />
          <span>{t.start.progress(passed.size, all)}</span>
        </p>
      </header>
      {GROUPS.map(([group, from, to]) => (
        <section key={group} aria-labelledby={`group-${group}`}>
          <h2 id={`group-${group}`}>{t.app.groups[group]}</h2>
          <ol class="lessons" start={from}>
            {CONTENTS.slice(from - 1, to).map((entry) => (
              <LessonCard key={entry.id} entry={entry} passed={passed.has(entry.id)} />
            ))}
          </ol>
        </section>
      ))}
      <Forget />
    </div>
  );
}

/** All lessons at a glance. */
function Contents() {
  const { t, language } = useShell();
  const { passed } = progress.value;
  return (
    <nav class="contents" aria-label={t.lesson.all}>
      {GROUPS.map(([group, from, to]) => (
        <section key={group}>
          <h2>{t.app.groups[group]}</h2>
          <ol start={from}>
            {CONTENTS.slice(from - 1, to).map(({ id, number, title }) => (
              <li key={id}>
                <a href={href.lesson(id)}>
                  <span aria-hidden="true">{passed.has(id) ? <Icon name="check" /> : number}</span>
                  <span>
                    <Rich text={title[language]} />
                    {passed.has(id) && <span class="unseen">, {t.start.passed}</span>}
                  </span>
                </a>
              </li>
            ))}
          </ol>
        </section>
      ))}
    </nav>
  );
}

function LessonCard({ entry, passed }: { readonly entry: Entry; readonly passed: boolean }) {
  const { t, language } = useShell();
  return (
    <li>
      <a class="lesson-card" href={href.lesson(entry.id)} data-passed={passed}>
        <span class="lesson-card-number" aria-hidden="true">
          {passed ? <Icon name="check" /> : entry.number}
        </span>
        <span class="lesson-card-title">
          <Rich text={entry.title[language]} />
        </span>
        <small>{passed ? t.start.passed : t.start.minutes(entry.minutes)}</small>
      </a>
    </li>
  );
}

/** A quiet line, once it is true. */
function Offline() {
  const { t } = useShell();
  return (
    <p class="offline soft" role="status">
      {readyOffline.value && (
        <>
          <Icon name="check" />
          {t.start.offline}
        </>
      )}
    </p>
  );
}

function Forget() {
  const { t, say } = useShell();
  const [asking, setAsking] = useState(false);
  const { passed, last } = progress.value;
  if (passed.size === 0 && last === null) {
    return (
      <footer class="learn-foot soft">
        <p>{storageRefused.value ? t.errors.noStorage : t.start.private}</p>
        <Offline />
      </footer>
    );
  }
  return (
    <footer class="learn-foot">
      <p class="soft">{storageRefused.value ? t.errors.noStorage : t.start.private}</p>
      <Offline />
      {asking ? (
        <fieldset class="note" aria-label={t.start.reset}>
          <p>{t.start.resetAsk}</p>
          <p class="row">
            <button
              type="button"
              class="button button-bad"
              onClick={() => {
                forget();
                setAsking(false);
                say(t.start.resetDone);
              }}
            >
              {t.start.reset}
            </button>
            <button type="button" class="button" onClick={() => setAsking(false)}>
              {t.cancel}
            </button>
          </p>
        </fieldset>
      ) : (
        <button type="button" class="button" onClick={() => setAsking(true)}>
          {t.start.reset}
        </button>
      )}
    </footer>
  );
}
