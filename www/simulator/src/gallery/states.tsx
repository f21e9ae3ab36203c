// Which parts there are and in which states each is shown.

import type { VNode } from 'preact';
import type { Text } from '../i18n/text';
import Ladder from '../view/Ladder';
import Log from '../view/Log';
import ClientMap from '../view/Map';
import type { Selection, ViewProps, Words } from '../view/props';
import type { SceneId, Shot } from './shots';

export interface State {
  readonly id: string;
  readonly name: Text;
  readonly scene: SceneId;
  readonly height?: number;
  readonly wide?: boolean;
  readonly selection?: (shot: Shot) => Selection;
  readonly show: (view: ViewProps, shot: Shot) => VNode;
}

export interface Part {
  readonly id: string;
  readonly title: (t: Words) => string;
  readonly states: readonly State[];
}

const selected =
  (name: string) =>
  (shot: Shot): Selection => ({ entry: shot.views[name]?.n ?? 0 });

const log = (shot: Shot) => ({ entries: shot.entries, playhead: shot.playhead });

const LADDER: readonly State[] = [
  {
    id: 'ladder-empty',
    name: { ko: '아무 일도 없음', en: 'nothing has happened' },
    scene: 'empty',
    height: 240,
    show: (view, shot) => <Ladder {...view} {...log(shot)} follow={false} />,
  },
  {
    id: 'ladder-flying',
    name: { ko: '메시지 하나가 가는 중', en: 'a message on its way' },
    scene: 'first',
    height: 520,
    show: (view, shot) => <Ladder {...view} {...log(shot)} follow={false} />,
  },
  {
    id: 'ladder-qos',
    name: { ko: 'QoS 0, 1, 2', en: 'QoS 0, 1 and 2' },
    scene: 'qos',
    height: 900,
    selection: selected('publish'),
    show: (view, shot) => <Ladder {...view} {...log(shot)} follow={false} />,
  },
  {
    id: 'ladder-faults',
    name: { ko: '끊김, half-open, 멈춤, 유언, 재시작', en: 'cut, half-open, frozen, Will, restart' },
    scene: 'faults',
    height: 1900,
    wide: true,
    show: (view, shot) => <Ladder {...view} {...log(shot)} follow={false} />,
  },
  {
    id: 'ladder-branches',
    name: { ko: '두 갈래', en: 'two branches' },
    scene: 'branches',
    height: 700,
    wide: true,
    show: (view, shot) => (
      <Ladder
        {...view}
        {...log(shot)}
        follow={false}
        compare={{
          entries: shot.other?.entries ?? [],
          common: shot.other?.comparison.common ?? 0,
          label: view.t.transport.branch(2),
          otherLabel: view.t.transport.branch(1),
        }}
      />
    ),
  },
  {
    id: 'ladder-many',
    name: { ko: '클라이언트 여덟 이상', en: 'many clients' },
    scene: 'home',
    height: 600,
    wide: true,
    show: (view, shot) => (
      <Ladder {...view} people={[...view.people, { id: 'x', name: 'X', icon: 'phone' }]} {...log(shot)} follow={true} />
    ),
  },
];

const LOG: readonly State[] = [
  {
    id: 'log-empty',
    name: { ko: '빈 기록', en: 'an empty log' },
    scene: 'empty',
    height: 260,
    show: (view, shot) => <Log {...view} {...log(shot)} follow={false} />,
  },
  {
    id: 'log-lines',
    name: { ko: '줄과 앞으로 올 줄', en: 'lines, and lines to come' },
    scene: 'first',
    height: 520,
    selection: selected('packet'),
    show: (view, shot) => <Log {...view} {...log(shot)} follow={false} />,
  },
  {
    id: 'log-faults',
    name: { ko: '모든 종류의 줄', en: 'lines of all kinds' },
    scene: 'faults',
    height: 520,
    wide: true,
    show: (view, shot) => <Log {...view} {...log(shot)} follow={true} />,
  },
];

const map = (shot: Shot) => ({ ...log(shot), sessions: shot.sessions, topics: shot.topics, playing: false });

const MAP: readonly State[] = [
  {
    id: 'map-empty',
    name: { ko: '아무도 연결하지 않음', en: 'nobody is connected' },
    scene: 'empty',
    height: 400,
    show: (view, shot) => <ClientMap {...view} {...map(shot)} />,
  },
  {
    id: 'map-flying',
    name: { ko: '메시지 하나가 가는 중', en: 'a message on its way' },
    scene: 'first',
    height: 400,
    selection: () => ({ client: 'phone' }),
    show: (view, shot) => <ClientMap {...view} {...map(shot)} />,
  },
  {
    id: 'map-away',
    name: { ko: '돌아올 클라이언트와 기다리는 유언', en: 'a client that comes back, and a Will that waits' },
    scene: 'away',
    height: 400,
    show: (view, shot) => <ClientMap {...view} {...map(shot)} />,
  },
  {
    id: 'map-home',
    name: { ko: '집 전체: 모든 상태', en: 'a whole home: every state' },
    scene: 'home',
    height: 640,
    wide: true,
    show: (view, shot) => <ClientMap {...view} {...map(shot)} />,
  },
];

export const PARTS: readonly Part[] = [
  { id: 'map', title: (t) => t.stage.views.map, states: MAP },
  { id: 'ladder', title: (t) => t.stage.views.ladder, states: LADDER },
  { id: 'log', title: (t) => t.stage.tabs.log, states: LOG },
];
