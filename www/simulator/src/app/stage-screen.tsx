// The Stage: lesson or palette, the view in the middle, the inspectors, and time below.

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Person } from '../view/props';
import { Icon } from './icons';
import { useKeys } from './keys';
import { useSpokenSteps } from './live';
import { type Scene, TABS, VIEWS } from './scene';
import { useShell } from './shell';
import { Branches, Transport } from './transport';
import { Inspector, LadderPane, MapPane } from './views';

interface StageProps {
  readonly scene: Scene;
  readonly people: readonly Person[];
  readonly lock: readonly string[];
  /** The lesson or the palette. */
  readonly side: ComponentChildren;
  readonly sideLabel: string;
  readonly onMenu?: (who: string) => void;
  /** There are forms for what a topic can be used for. */
  readonly forms?: boolean;
  /** More buttons above the view. */
  readonly tools?: ComponentChildren;
  readonly controls?: 'none' | 'transport' | 'full';
  /** The id of the lesson that this is. */
  readonly lesson?: string;
}

export function StageScreen(props: StageProps) {
  const { scene, people, side, sideLabel, tools, controls = 'full', lesson = null } = props;
  const { t, say } = useShell();
  const model = scene.model.value;
  useSpokenSteps(model, people, t, say);
  useKeys(scene, controls !== 'none');
  return (
    <div class="stage" data-controls={controls}>
      <Reports scene={scene} lesson={lesson} />
      {controls === 'full' && (
        <section class="stage-side" aria-label={sideLabel}>
          {side}
        </section>
      )}
      <section class="stage-view" aria-label={t.app.stage}>
        <div class="stage-bar">
          <ViewChoice scene={scene} />
          {controls !== 'none' && <Branches scene={scene} people={people} />}
          <span class="stage-tools">
            {controls === 'full' && <Presenter />}
            {tools}
          </span>
        </div>
        <View {...props} />
      </section>
      {controls === 'full' && <Inspectors {...props} />}
      {controls !== 'none' && <Transport scene={scene} people={people} />}
    </div>
  );
}

/** One report for each moment, with the time it has then. It shows nothing, and is all here that changes with time. */
function Reports({ scene, lesson }: { readonly scene: Scene; readonly lesson: string | null }) {
  const { report } = useShell();
  const { entries, at } = scene.model.value.playhead.value;
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) report({ event: 'step', lesson, entries, at });
    first.current = false;
  }, [entries]);
  return null;
}

/** Large enough for the last row of a class room, and the whole screen where a browser gives it. */
function Presenter() {
  const { t } = useShell();
  const [on, setOn] = useState(false);
  useEffect(() => {
    if (!on) return undefined;
    const { style } = document.documentElement;
    style.fontSize = '137.5%';
    document.documentElement.requestFullscreen?.().catch(() => undefined);
    return () => {
      style.fontSize = '';
      if (document.fullscreenElement) document.exitFullscreen().catch(() => undefined);
    };
  }, [on]);
  return (
    <button
      type="button"
      class="tool tool-presenter"
      aria-pressed={on}
      aria-label={t.stage.fullscreen}
      title={t.stage.fullscreen}
      onClick={() => setOn(!on)}
    >
      <Icon name="grow" />
    </button>
  );
}

function ViewChoice({ scene }: { readonly scene: Scene }) {
  const { t } = useShell();
  return (
    // biome-ignore lint/a11y/useSemanticElements: buttons that stay pressed are a group, a fieldset is for forms
    <div class="segments" role="group" aria-label={t.app.view}>
      {VIEWS.map((view) => (
        <button
          key={view}
          type="button"
          aria-pressed={scene.view.value === view}
          onClick={() => {
            scene.view.value = view;
          }}
        >
          {t.stage.views[view]}
        </button>
      ))}
    </div>
  );
}

function View(props: StageProps) {
  const view = props.scene.view.value;
  return (
    <div class="stage-canvas" data-view={view}>
      {view !== 'ladder' && (
        <div class="pane pane-map">
          <MapPane {...props} />
        </div>
      )}
      {view !== 'map' && (
        <div class="pane pane-ladder">
          <LadderPane {...props} />
        </div>
      )}
    </div>
  );
}

function Inspectors(props: StageProps) {
  const { scene } = props;
  const { t } = useShell();
  const id = useId();
  const tab = scene.tab.value;
  const list = useRef<HTMLDivElement>(null);
  const go = (by: number | 'first' | 'last') => {
    const index = TABS.indexOf(tab);
    const next = by === 'first' ? 0 : by === 'last' ? TABS.length - 1 : (index + by + TABS.length) % TABS.length;
    scene.tab.value = TABS[next] ?? tab;
    list.current?.querySelectorAll<HTMLButtonElement>('[role=tab]')[next]?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const move = { ArrowRight: 1, ArrowLeft: -1, Home: 'first', End: 'last' }[event.key] as
      | number
      | 'first'
      | undefined;
    if (move === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    go(move);
  };
  return (
    <section class="stage-inspectors" aria-label={t.stage.inspectors}>
      <h2 class="unseen">{t.stage.inspectors}</h2>
      <div class="tabs" role="tablist" aria-label={t.stage.inspectors} ref={list} onKeyDown={onKeyDown}>
        {TABS.map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            id={`${id}-${one}`}
            aria-selected={one === tab}
            aria-controls={`${id}-panel`}
            tabIndex={one === tab ? 0 : -1}
            onClick={() => {
              scene.tab.value = one;
            }}
          >
            {t.stage.tabs[one]}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached by keys */}
      <div class="tab-panel" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${tab}`} tabIndex={0}>
        <Inspector {...props} tab={tab} />
      </div>
    </section>
  );
}
