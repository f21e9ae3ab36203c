// A lesson: it is fetched, put on the Stage, and kept there while the reader is at it.

import { useEffect, useMemo, useState } from 'preact/hooks';
import { CONTENTS } from '../lessons/contents';
import type { Lesson } from '../lessons/lesson';
import { Failure } from './failure';
import { LessonPanel } from './lesson-panel';
import { LessonRun } from './lesson-run';
import { Loading } from './loading';
import { markOpened, markPassed } from './progress';
import { plain } from './rich';
import { ShareButton } from './share-button';
import { useShell } from './shell';
import { StageScreen } from './stage-screen';

export function LessonScreen({ id }: { readonly id: string }) {
  const { t } = useShell();
  const entry = CONTENTS.find((one) => one.id === id || String(one.number) === id);
  const [lesson, setLesson] = useState<Lesson | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (!entry) return undefined;
    let wanted = true;
    setFailed(false);
    entry.load().then(
      (loaded) => wanted && setLesson(loaded),
      () => wanted && setFailed(true),
    );
    return () => {
      wanted = false;
    };
  }, [entry]);
  if (!entry) return <Failure title={t.errors.title} says={t.errors.noLesson(id)} />;
  if (failed) return <Failure title={t.errors.title} says={t.plain.loadFailed} />;
  if (!lesson || lesson.id !== entry.id) return <Loading />;
  return <Running key={lesson.id} lesson={lesson} />;
}

function Running({ lesson }: { readonly lesson: Lesson }) {
  const { t, language, say, report, embedded } = useShell();
  const run = useMemo(() => new LessonRun(lesson), [lesson]);
  useEffect(() => {
    markOpened(lesson.id);
    report({ event: 'ready', lesson: lesson.id });
    return () => run.free();
  }, [run, lesson, report]);
  const passed = run.passed.value;
  useEffect(() => {
    if (!passed) return;
    markPassed(lesson.id);
    report({ event: 'passed', lesson: lesson.id });
    say(t.lesson.passed(plain(lesson.title[language])));
  }, [passed, lesson, language, report, say, t]);
  const people = useMemo(() => run.scene.people(language), [run, language]).value;
  return (
    <StageScreen
      scene={run.scene}
      people={people}
      lock={lesson.scenario.lock ?? []}
      side={<LessonPanel run={run} />}
      sideLabel={t.lesson.number(lesson.number)}
      lesson={lesson.id}
      tools={!embedded && <ShareButton scene={run.scene} people={people} />}
    />
  );
}
