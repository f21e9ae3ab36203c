// The views, filled from a scene: what stands in the middle of the Stage and what stands beside it.

import { useMemo } from 'preact/hooks';
import { describe } from '../stage/model';
import type { Entry } from '../stage/types';
import Log from '../view/Log';
import MapView from '../view/Map';
import type { LogProps, Person } from '../view/props';
import { storyOf } from '../view/story';
import { lazy } from './lazy';
import type { Scene, Tab } from './scene';
import { settings } from './settings';
import { useShell } from './shell';

// Whoever opens one of these waits a moment for it, so that everybody else needn’t.
const Ladder = lazy(async () => (await import('../view/Ladder')).default);
const Packet = lazy(async () => (await import('../view/Packet')).default);
const Session = lazy(async () => (await import('../view/Session')).default);
const Topics = lazy(async () => (await import('../view/Topics')).default);
const Why = lazy(async () => (await import('../view/Why')).default);

interface SceneProps {
  readonly scene: Scene;
  readonly people: readonly Person[];
  /** Commands that aren't offered. */
  readonly lock: readonly string[];
  /** There are forms for what a topic can be used for. */
  readonly forms?: boolean;
}

function useLogProps({ scene, people }: SceneProps, calm = false): LogProps {
  const { t, language } = useShell();
  const model = scene.model.value;
  return {
    t,
    language,
    people,
    selection: scene.selection.value,
    onSelect: (selection) => scene.select(selection),
    entries: model.entries.value,
    playhead: calm ? model.playhead.peek() : model.playhead.value,
  };
}

export function MapPane(props: SceneProps & { readonly onMenu?: (who: string) => void }) {
  const { scene, onMenu } = props;
  const shared = useLogProps(props);
  const model = scene.model.value;
  const sessions = model.sessions.value;
  const ids = sessions.clients.map(({ who }) => who).join('\n');
  const there = useMemo(() => {
    const here = new Set(ids.split('\n'));
    return props.people.filter(({ id }) => here.has(id));
  }, [ids, props.people]);
  return (
    <MapView
      {...shared}
      people={there}
      sessions={sessions}
      topics={model.topics.value}
      playing={model.playing.value}
      {...(settings.value.motion === 'less' ? { motion: false } : {})}
      {...(onMenu
        ? {
            onMenu: (what) => {
              if ('client' in what) onMenu(what.client);
              else if ('link' in what) onMenu(what.link);
              else if ('broker' in what) onMenu('');
            },
          }
        : {})}
    />
  );
}

export function LadderPane(props: SceneProps) {
  const { scene } = props;
  const { t } = useShell();
  const shared = useLogProps(props);
  const model = scene.model.value;
  const beside = scene.beside.value;
  const { branch, of } = model.playhead.value;
  // The other branch stands still, `of` moves where they part
  const compare = useMemo(() => {
    if (beside === null || beside === branch) return undefined;
    return {
      entries: model.logOf(beside),
      common: model.compare(branch, beside).common,
      label: t.transport.branch(branch + 1),
      otherLabel: t.transport.branch(beside + 1),
    };
  }, [model, beside, branch, of, t]);
  return (
    <Ladder
      {...shared}
      follow={scene.follow.value}
      onFollow={(follow) => {
        scene.follow.value = follow;
      }}
      onSeek={(n) => model.seek(n)}
      {...(compare ? { compare } : {})}
    />
  );
}

export function Inspector(props: SceneProps & { readonly tab: Tab }) {
  const { scene, tab, lock } = props;
  const model = scene.model.value;
  // Whatever is read here stays as it is for a moment, also while time runs.
  void model.calm.value;
  const shared = useLogProps(props, true);
  const moment = model.moment.peek();
  const selection = scene.selection.value;
  const entry = selection && 'entry' in selection ? selection.entry : null;
  // `moment` tells when the answer may be another
  const why = useMemo(() => {
    const asked = tab === 'why' ? (entry ?? newestMessage(model.entries.peek(), model.playhead.peek().entries)) : null;
    return asked === null ? null : model.why(asked);
  }, [model, tab, entry, moment]);
  // As above.
  const packet = useMemo(
    () => (tab === 'packet' && entry !== null ? model.packet(entry) : null),
    [model, tab, entry, moment],
  );
  switch (tab) {
    case 'why':
      return <Why {...shared} why={why} />;
    case 'packet':
      return (
        <Packet
          {...shared}
          packet={packet}
          describe={describe}
          canSend={(who) => model.sessions.peek().clients.some((one) => one.who === who && one.link !== null)}
          {...(lock.includes('raw') ? {} : { onResend: (who, hex) => void model.command({ do: 'raw', who, hex }) })}
        />
      );
    case 'session':
      return <Session {...shared} client={clientOf(scene)} sessions={model.sessions.peek()} />;
    case 'topics':
      return (
        <Topics
          {...shared}
          topics={model.topics.peek()}
          sessions={model.sessions.peek()}
          tryFilter={(filter) => model.tryFilter(filter)}
          {...(props.forms
            ? {
                onPublishHere: (topic) => {
                  scene.wish.value = { verb: 'publish', topic };
                },
                onSubscribeHere: (filter) => {
                  scene.wish.value = { verb: 'subscribe', topic: filter };
                },
              }
            : {})}
        />
      );
    case 'log':
      return <Log {...shared} follow={scene.follow.value} onSeek={(n) => model.seek(n)} />;
  }
}

/** No message is chosen: the one that was accepted or sent last. */
function newestMessage(entries: readonly Entry[], before: number): number | null {
  const story = storyOf(entries);
  const accepted = story.published.findLast((n) => n < before) ?? -1;
  const sent = story.flights.findLast(
    ({ n, sent: { type, toward } }) => n < before && type === 'PUBLISH' && toward === 'broker',
  );
  const newest = Math.max(accepted, sent?.n ?? -1);
  return newest < 0 ? null : newest;
}

/** Nobody is chosen: the client whose Session holds most. */
function mostToSee(scene: Scene): string | null {
  const { sessions, clients } = scene.model.value.sessions.peek();
  const holds = (who: string) => {
    const session = sessions.find((one) => one.who === who);
    if (!session) return 0;
    const { in_flight, queue, subscriptions, will } = session;
    return 1 + in_flight.length * 8 + queue.length * 8 + (will ? 4 : 0) + subscriptions.length * 2;
  };
  return clients.reduce<string | null>(
    (best, { who }) => (best === null || holds(who) > holds(best) ? who : best),
    null,
  );
}

/** The client whose Session is shown: the chosen one, or that of the chosen link or entry. */
function clientOf(scene: Scene): string | null {
  const selection = scene.selection.value;
  if (!selection) return mostToSee(scene);
  if ('client' in selection) return selection.client;
  if ('link' in selection) return selection.link;
  if (!('entry' in selection)) return mostToSee(scene);
  const entry = scene.model.value.entries.value[selection.entry];
  if (!entry) return null;
  for (const value of Object.values(entry)) {
    if (typeof value === 'object' && value !== null && typeof value.who === 'string') return value.who;
  }
  return null;
}
