// A scenario inside somebody else's page.

import { useEffect, useMemo, useState } from 'preact/hooks';
import { WithStage } from './app';
import { Failure } from './failure';
import { LessonScreen } from './lesson-screen';
import { Loading } from './loading';
import { readLink, scenarioProblem } from './scenario-problem';
import { Scene, VIEWS, type View } from './scene';
import { useShell } from './shell';
import { StageScreen } from './stage-screen';

interface EmbeddedProps {
  readonly scenario: string;
  readonly view: string | null;
  readonly controls: string | null;
  readonly step: number;
}

const LESSON = 'lesson:';

export function Embedded(props: EmbeddedProps) {
  const { scenario } = props;
  return (
    <WithStage>
      {scenario.startsWith(LESSON) ? (
        <LessonScreen id={scenario.slice(LESSON.length)} />
      ) : (
        <EmbeddedScenario {...props} />
      )}
    </WithStage>
  );
}

function EmbeddedScenario({ scenario, view, controls, step }: EmbeddedProps) {
  const { t, language, report } = useShell();
  const [made, setMade] = useState<{ scene: Scene } | { problem: string } | null>(null);
  useEffect(() => {
    let scene: Scene | undefined;
    let wanted = true;
    const make = async () => {
      const text = scenario.trimStart().startsWith('{') ? scenario : await readLink(scenario);
      if (!wanted) return;
      scene = new Scene(text);
      if (VIEWS.includes(view as View)) scene.view.value = view as View;
      for (let done = 0; done < step && scene.model.value.step(); ) done += 1;
      setMade({ scene });
      report({ event: 'ready', lesson: null });
    };
    make().catch((error: unknown) => wanted && setMade({ problem: scenarioProblem(error, t) }));
    return () => {
      wanted = false;
      scene?.free();
    };
  }, [scenario, view, step, t, report]);
  if (!made) return <Loading />;
  if ('problem' in made) return <Failure title={t.errors.title} says={made.problem} />;
  return <EmbeddedStage scene={made.scene} controls={controls} language={language} />;
}

function EmbeddedStage(props: {
  readonly scene: Scene;
  readonly controls: string | null;
  readonly language: 'ko' | 'en';
}) {
  const { scene, controls, language } = props;
  const { t } = useShell();
  const people = useMemo(() => scene.people(language), [scene, language]).value;
  return (
    <StageScreen
      scene={scene}
      people={people}
      lock={[]}
      side={null}
      sideLabel={t.embed.label}
      controls={controls === 'none' ? 'none' : 'transport'}
    />
  );
}
