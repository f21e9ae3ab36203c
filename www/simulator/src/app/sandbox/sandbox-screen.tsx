// The sandbox: any topology, any packet, any fault.

import { useEffect, useMemo, useState } from 'preact/hooks';
import { encodeLink } from '../../stage/permalink';
import type { StageScenario } from '../../stage/types';
import { Failure } from '../failure';
import { Loading } from '../loading';
import { href, PRESETS, type Preset } from '../router';
import { Scene } from '../scene';
import { ShareButton } from '../share-button';
import { useShell } from '../shell';
import { StageScreen } from '../stage-screen';
import { Palette } from './palette';
import { presetOf, presetScenario } from './presets';

export function SandboxScreen({ preset }: { readonly preset: string }) {
  const { t, report } = useShell();
  const known = presetOf(preset);
  const [made, setMade] = useState<{ scene: Scene; text: string } | null>(null);
  useEffect(() => {
    if (!known) return undefined;
    const text = JSON.stringify(presetScenario(known));
    const scene = new Scene(text);
    setMade({ scene, text });
    report({ event: 'ready', lesson: null });
    return () => scene.free();
  }, [known, report]);
  if (!known) return <Failure title={t.errors.title} says={t.errors.notALink} />;
  if (!made) return <Loading />;
  return <SandboxStage scene={made.scene} text={made.text} preset={known} />;
}

interface SandboxStageProps {
  readonly scene: Scene;
  readonly text: string;
  /** Absent: it came in a link. */
  readonly preset?: Preset;
}

export function SandboxStage({ scene, text, preset }: SandboxStageProps) {
  const { t, language } = useShell();
  const people = useMemo(() => scene.people(language), [scene, language]).value;
  const { lock = [], goal } = useMemo(() => JSON.parse(text) as StageScenario, [text]);
  const [chosen, setChosen] = useState<string | null>(() => scene.clients.value[0]?.id ?? null);
  const selection = scene.selection.value;
  // Who is chosen on the map is chosen here too.
  useEffect(() => {
    if (selection && 'client' in selection) setChosen(selection.client);
    if (selection && 'broker' in selection) setChosen(null);
  }, [selection]);
  return (
    <StageScreen
      scene={scene}
      people={people}
      lock={lock}
      side={
        <>
          <header class="sandbox-head">
            <h1 tabIndex={-1}>{t.sandbox.title}</h1>
            <Presets {...(preset ? { preset } : {})} />
            <OpenFile />
          </header>
          {goal && <Goal scene={scene} />}
          <Palette scene={scene} people={people} lock={lock} chosen={chosen} onChoose={setChosen} />
          <footer class="lesson-foot">
            <button type="button" class="button" onClick={() => scene.startOver()}>
              {t.app.clear}
            </button>
          </footer>
        </>
      }
      sideLabel={t.stage.palette}
      forms
      onMenu={(who) => setChosen(who === '' ? null : who)}
      tools={<ShareButton scene={scene} people={people} />}
    />
  );
}

/** A scenario that was saved as a file: it becomes the address, and is read as every link is. */
function OpenFile() {
  const { t } = useShell();
  return (
    <label class="button open-file">
      {t.share.openFile}
      <input
        type="file"
        class="unseen"
        accept=".json,application/json"
        onChange={async (event) => {
          const file = event.currentTarget.files?.[0];
          if (file) location.hash = href.link(await encodeLink(await file.text()));
        }}
      />
    </label>
  );
}

function Goal({ scene }: { readonly scene: Scene }) {
  const { t, say, report } = useShell();
  const model = scene.model.value;
  void model.playhead.value;
  const holds = model.goal()?.holds ?? false;
  const [passed, setPassed] = useState(false);
  useEffect(() => {
    if (!holds || passed) return;
    setPassed(true);
    report({ event: 'passed', lesson: null });
    say(t.lesson.reached);
  }, [holds, passed, report, say, t]);
  return (
    <p class="note" data-passed={passed} role="status">
      <strong>{t.app.goalOfLink}</strong> {passed ? t.lesson.reached : t.lesson.open}
    </p>
  );
}

function Presets({ preset }: { readonly preset?: Preset }) {
  const { t } = useShell();
  return (
    <label class="field presets">
      <span>{t.sandbox.presets.title}</span>
      <select
        value={preset ?? ''}
        onChange={(event) => {
          location.hash = href.sandbox(event.currentTarget.value as Preset);
        }}
      >
        {!preset && <option value="">–</option>}
        {PRESETS.map((one) => (
          <option key={one} value={one}>
            {t.sandbox.presets[one]}
          </option>
        ))}
      </select>
    </label>
  );
}
