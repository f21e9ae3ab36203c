// Which parts there are and in which states each is shown.

import type { VNode } from 'preact';
import type { Text } from '../i18n/text';
import Ladder from '../view/Ladder';
import Log from '../view/Log';
import ClientMap from '../view/Map';
import Packet from '../view/Packet';
import type { PacketProps, Selection, ViewProps, Words } from '../view/props';
import Session from '../view/Session';
import Topics from '../view/Topics';
import WhyView from '../view/Why';
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

/** The same in a lower frame. */
const short = (state: State, height: number): State => ({ ...state, height });

const why = (id: string, name: Text, scene: SceneId, asked?: string): State => ({
  id,
  name,
  scene,
  height: 620,
  ...(asked ? { selection: selected(asked) } : {}),
  show: (view, shot) => <WhyView {...view} {...log(shot)} why={(asked && shot.views[asked]?.why) || null} />,
});

const WHY: readonly State[] = [
  short(why('why-none', { ko: '고른 것 없음', en: 'nothing chosen' }, 'home'), 320),
  short(why('why-not-message', { ko: '메시지가 아님', en: 'not a message' }, 'qos', 'connect'), 320),
  short(why('why-on-way', { ko: '아직 가는 중', en: 'still on its way' }, 'home', 'onWay'), 320),
  short(why('why-lost', { ko: '조용히 사라짐', en: 'lost in silence' }, 'faults', 'silent'), 320),
  why('why-mixed', { ko: '전해짐, 대기, 어긋남', en: 'delivered, waiting, no match' }, 'home', 'why'),
  why('why-full', { ko: '줄이 가득 참', en: 'queue full' }, 'home', 'full'),
  why('why-miss', { ko: '아무도 못 받음', en: 'nobody got it' }, 'home', 'miss'),
  why('why-again', { ko: '두 번 보냄', en: 'sent twice' }, 'faults', 'again'),
];

/** The Stage's decoder lives in the wasm; where it is not loaded, edited bytes are not described. */
const describes: { describe: PacketProps['describe'] } = { describe: () => [[], null] };

/** Gives the Gallery the Stage's decoder. */
export function setDescribe(describe: PacketProps['describe']): void {
  describes.describe = describe;
}

const packet = (id: string, name: Text, scene: SceneId, asked?: string, canSend = true): State => ({
  id,
  name,
  scene,
  height: 760,
  ...(asked ? { selection: selected(asked) } : {}),
  show: (view, shot) => (
    <Packet
      {...view}
      {...log(shot)}
      packet={(asked && shot.views[asked]?.packet) || null}
      describe={(bytes, level, toBroker) => describes.describe(bytes, level, toBroker)}
      canSend={() => canSend}
      onResend={() => {}}
    />
  ),
});

const PACKET: readonly State[] = [
  short(packet('packet-none', { ko: '고른 것 없음', en: 'nothing chosen' }, 'qos'), 240),
  packet('packet-connect', { ko: 'CONNECT', en: 'CONNECT' }, 'qos', 'connect'),
  packet('packet-publish', { ko: 'PUBLISH', en: 'PUBLISH' }, 'qos', 'publish'),
  packet('packet-puback', { ko: 'PUBACK', en: 'PUBACK' }, 'qos', 'puback'),
  packet('packet-lost', { ko: '잃어버린 패킷', en: 'a lost packet' }, 'faults', 'lost'),
  packet('packet-will', { ko: '유언', en: 'a Will' }, 'faults', 'will', false),
];

const session = (id: string, name: Text, scene: SceneId, client: string | null): State => ({
  id,
  name,
  scene,
  height: 620,
  selection: () => (client === null ? null : { client }),
  show: (view, shot) => (
    <Session
      {...view}
      {...log(shot)}
      sessions={shot.sessions}
      client={view.selection && 'client' in view.selection ? view.selection.client : null}
    />
  ),
});

const SESSION: readonly State[] = [
  short(session('session-choose', { ko: '고른 것 없음', en: 'nothing chosen' }, 'home', null), 240),
  short(session('session-none', { ko: '세션 없음', en: 'no Session' }, 'empty', 'phone'), 240),
  session('session-full', { ko: '대기, 전송 중, 한도', en: 'waiting, in flight, at its limit' }, 'home', 'phone'),
  session('session-will', { ko: '준비된 유언', en: 'an armed Will' }, 'home', 'kitchen'),
  session('session-off', { ko: 'Keep Alive 없음', en: 'no Keep Alive' }, 'home', 'restroom'),
  session('session-away', { ko: '자리 비움', en: 'away' }, 'away', 'kitchen'),
  session('session-options', { ko: '구독 옵션', en: 'Subscription options' }, 'home', 'office'),
];

const topics = (id: string, name: Text, scene: SceneId, filter: string, topic?: string): State => ({
  id,
  name,
  scene,
  height: 620,
  ...(topic ? { selection: () => ({ topic }) } : {}),
  show: (view, shot) => (
    <Topics
      {...view}
      {...log(shot)}
      topics={shot.topics}
      sessions={shot.sessions}
      filter={filter}
      tryFilter={(asked) => shot.filters[asked] ?? { error: null, topics: [] }}
      onSubscribeHere={() => {}}
    />
  ),
});

const TOPICS: readonly State[] = [
  short(topics('topics-empty', { ko: '토픽 없음', en: 'no topic' }, 'empty', ''), 240),
  topics('topics-tree', { ko: '나무와 범위', en: 'tree and ranges' }, 'home', '', 'home/kitchen/temperature'),
  topics('topics-plus', { ko: '+로 시험', en: 'tried with +' }, 'home', 'home/+/temperature'),
  topics('topics-wrong', { ko: '잘못된 필터', en: 'a wrong filter' }, 'home', 'home/#/x'),
];

export const PARTS: readonly Part[] = [
  { id: 'map', title: (t) => t.stage.views.map, states: MAP },
  { id: 'ladder', title: (t) => t.stage.views.ladder, states: LADDER },
  { id: 'why', title: (t) => t.stage.tabs.why, states: WHY },
  { id: 'packet', title: (t) => t.stage.tabs.packet, states: PACKET },
  { id: 'session', title: (t) => t.stage.tabs.session, states: SESSION },
  { id: 'topics', title: (t) => t.stage.tabs.topics, states: TOPICS },
  { id: 'log', title: (t) => t.stage.tabs.log, states: LOG },
];
