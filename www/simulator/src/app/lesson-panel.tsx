// The lesson beside the Stage: story, question, goal with its buttons, hints, traps, and when it is passed what to take
// home.

import { useState } from 'preact/hooks';
import { CONTENTS } from '../lessons/contents';
import type { Lesson } from '../lessons/lesson';
import { ActionForm } from './action-form';
import { Icon } from './icons';
import type { LessonRun } from './lesson-run';
import { refusalWords } from './refusal-words';
import { plain, Rich } from './rich';
import { href } from './router';
import { useShell } from './shell';

export function LessonPanel({ run }: { readonly run: LessonRun }) {
  const { t, language, embedded } = useShell();
  const { lesson } = run;
  return (
    <article class="lesson" aria-labelledby="lesson-title">
      <header class="lesson-head">
        <p class="lesson-number">
          {t.lesson.number(lesson.number)}
          <span aria-hidden="true"> · </span>
          <span>{t.start.minutes(lesson.minutes)}</span>
        </p>
        <h1 id="lesson-title" tabIndex={-1}>
          <Rich text={lesson.title[language]} />
        </h1>
        {!embedded && <Neighbours lesson={lesson} />}
      </header>
      <p class="lesson-story">
        <Rich text={lesson.story[language]} />
      </p>
      <Question run={run} />
      <Goal run={run} />
      {run.passed.value && <Passed run={run} />}
      <Hints run={run} />
      <Standard lesson={lesson} open={run.passed.value} />
      <Restart run={run} />
    </article>
  );
}

function Neighbours({ lesson }: { readonly lesson: Lesson }) {
  const { t, language } = useShell();
  const before = CONTENTS[lesson.number - 2];
  const after = CONTENTS[lesson.number];
  return (
    <nav class="lesson-nav" aria-label={t.lesson.all}>
      {before && (
        <a
          class="tool"
          href={href.lesson(before.id)}
          title={plain(before.title[language])}
          aria-label={t.lesson.previous}
        >
          <Icon name="previous" />
        </a>
      )}
      <a class="tool" href={href.learn} title={t.lesson.all} aria-label={t.lesson.all}>
        <Icon name="book" />
      </a>
      {after && (
        <a class="tool" href={href.lesson(after.id)} title={plain(after.title[language])} aria-label={t.lesson.next}>
          <Icon name="next" />
        </a>
      )}
    </nav>
  );
}

function Question({ run }: { readonly run: LessonRun }) {
  const { t, language, say } = useShell();
  const { ask, options, right, why } = run.lesson.question;
  const answer = run.answer.value;
  const rightText = options.find(({ id }) => id === right)?.text[language] ?? '';
  const verdict = answer === right ? t.lesson.right : t.lesson.wrong(rightText);
  const choose = (id: string) => {
    if (answer !== null) return;
    run.predict(id);
    say(`${id === right ? t.lesson.right : t.lesson.wrong(rightText)} ${why[language]}`.replaceAll('`', ''));
  };
  return (
    <section class="card question" aria-labelledby="question-title">
      <h2 id="question-title">{t.lesson.predict}</h2>
      <p>
        <Rich text={ask[language]} />
      </p>
      <ul class="options">
        {options.map(({ id, text }) => (
          <li key={id}>
            <button
              type="button"
              class="option"
              aria-pressed={answer === id}
              aria-disabled={answer !== null ? 'true' : undefined}
              data-verdict={answer === null ? undefined : id === right ? 'right' : id === answer ? 'wrong' : 'other'}
              onClick={() => choose(id)}
            >
              <span class="option-sign" aria-hidden="true">
                {answer !== null && id === right && <Icon name="check" />}
                {answer === id && id !== right && <Icon name="close" />}
              </span>
              <span>
                <Rich text={text[language]} />
              </span>
            </button>
          </li>
        ))}
      </ul>
      {answer === null ? (
        <p class="soft">{t.lesson.predictFirst}</p>
      ) : (
        <p class="question-why">
          <strong>
            <Rich text={verdict} />
          </strong>{' '}
          <Rich text={why[language]} />
        </p>
      )}
    </section>
  );
}

function Goal({ run }: { readonly run: LessonRun }) {
  const { t, language } = useShell();
  const { lesson } = run;
  const passed = run.passed.value;
  const { parts } = run.verdict.value;
  const trap = run.trap.value;
  const model = run.scene.model.value;
  const refused = model.refused.value;
  return (
    <section class="card goal" aria-labelledby="goal-title" data-passed={passed}>
      <h2 id="goal-title">
        {t.lesson.goal}
        <span class="goal-state">
          {passed && <Icon name="check" />}
          {passed ? t.lesson.reached : t.lesson.open}
        </span>
      </h2>
      <p>
        <Rich text={lesson.goal[language]} />
      </p>
      {parts && parts.length > 1 && !passed && (
        <p class="goal-parts">
          <span aria-hidden="true" class="pips">
            {parts.map(({ holds }, index) => (
              // Parts are never added or moved.
              <i key={index} data-holds={holds} />
            ))}
          </span>
          {t.app.parts(parts.filter(({ holds }) => holds).length, parts.length)}
        </p>
      )}
      <div class="actions">
        {lesson.actions.map((action) => (
          <ActionForm key={action.label.en} action={action} give={(commands) => run.give(commands)} />
        ))}
      </div>
      {refused && !trap && (
        <p class="note note-bad" role="alert">
          {refusalWords(refused, run.scene.people(language).value, t)}
        </p>
      )}
      {trap && (
        <div class="note note-warn" role="status">
          <strong>{t.lesson.trap}</strong>
          <p>
            <Rich text={trap.say[language]} />
          </p>
        </div>
      )}
    </section>
  );
}

function Passed({ run }: { readonly run: LessonRun }) {
  const { t, language, embedded } = useShell();
  const { lesson } = run;
  const next = CONTENTS[lesson.number];
  return (
    <section class="card passed" aria-labelledby="passed-title">
      <h2 id="passed-title">
        <Icon name="check" />
        {t.lesson.passed(plain(lesson.title[language]))}
      </h2>
      <p>
        <Rich text={lesson.closing[language]} />
      </p>
      <p class="passed-look">
        <strong>{t.lesson.look}</strong> <Rich text={lesson.look.text[language]} />
      </p>
      {!embedded &&
        (next ? (
          <a class="button button-main" href={href.lesson(next.id)}>
            <span>
              {t.lesson.next}: <Rich text={next.title[language]} />
            </span>
            <Icon name="next" />
          </a>
        ) : (
          <a class="button button-main" href={href.sandbox()}>
            {t.lesson.last}
          </a>
        ))}
    </section>
  );
}

function Hints({ run }: { readonly run: LessonRun }) {
  const { t, language, say } = useShell();
  const { hints } = run.lesson;
  const shown = run.hints.value;
  const show = () => {
    const hint = hints[shown];
    if (!hint) return;
    run.hints.value = shown + 1;
    say(`${t.lesson.hint(shown + 1, hints.length)}. ${hint[language].replaceAll('`', '')}`);
  };
  return (
    <section class="hints" aria-label={t.app.hints}>
      {shown > 0 && (
        <ol>
          {hints.slice(0, shown).map((hint, index) => (
            <li key={hint.en}>
              <small>{t.lesson.hint(index + 1, hints.length)}</small>
              <p>
                <Rich text={hint[language]} />
              </p>
            </li>
          ))}
        </ol>
      )}
      <button type="button" class="button" aria-disabled={shown >= hints.length ? 'true' : undefined} onClick={show}>
        <Icon name="hint" />
        {shown >= hints.length ? t.lesson.noMoreHints : t.lesson.nextHint}
      </button>
    </section>
  );
}

function Standard({ lesson, open }: { readonly lesson: Lesson; readonly open: boolean }) {
  const { t, language } = useShell();
  return (
    <details class="standard" open={open}>
      <summary>{t.lesson.standard}</summary>
      <dl>
        {lesson.sections.map(({ v5, v311, says }) => (
          <div key={`${v5} ${v311}`}>
            <dt>{t.section(v5, v311)}</dt>
            <dd>
              <Rich text={says[language]} />
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Restart({ run }: { readonly run: LessonRun }) {
  const { t } = useShell();
  const [asking, setAsking] = useState(false);
  return (
    <footer class="lesson-foot">
      <button type="button" class="button" onClick={() => run.startOver()}>
        <Icon name="again" />
        {t.lesson.again}
      </button>
      <button type="button" class="button" aria-expanded={asking} onClick={() => setAsking(!asking)}>
        {t.lesson.solution}
      </button>
      {asking && (
        <div class="note">
          <p>{t.lesson.solutionAsk}</p>
          <p class="row">
            <button
              type="button"
              class="button button-main"
              onClick={() => {
                setAsking(false);
                run.showSolution();
              }}
            >
              {t.lesson.solution}
            </button>
            <button type="button" class="button" onClick={() => setAsking(false)}>
              {t.cancel}
            </button>
          </p>
        </div>
      )}
    </footer>
  );
}
