// 화면의 모든 문자열, 한국어. 문장은 해요체로 쓰고, 단추와 제목은 명사로 끝낸다. 값이 들어가는 말은 함수이고, 값 뒤의
// 조사는 josa가 고른다. MQTT 패킷의 이름은 영어 그대로 쓴다.

import type { PacketName } from '../lessons/stage';
import { app } from './app.ko';
import type { en } from './en';
import {
  type CommandMessages,
  type DeliveryFacts,
  type Field,
  levelAt,
  type Mistake,
  type PacketFacts,
  type WhyNotMessages,
} from './facts';
import { josa } from './josa';
import { reasons } from './reasons.ko';
import { view } from './view.ko';

const field = (label: string, hint = ''): Field => ({ label, hint });
const at = (path: string, level: number): string => {
  const text = levelAt(path, level);
  return text === undefined ? '아무것도 없음' : text === '' ? '빈 레벨' : `‘${text}’`;
};
const end = (name: string | null): string => name ?? '브로커';

const content = (facts: PacketFacts): string =>
  [
    facts.packet,
    facts.topic,
    facts.payload === '' ? '빈 페이로드' : facts.payload,
    facts.qos === undefined ? undefined : `QoS ${facts.qos}`,
    facts.id === undefined ? undefined : `식별자 ${facts.id}`,
    facts.dup ? 'DUP 1' : undefined,
    facts.retain ? 'RETAIN 1' : undefined,
    facts.sessionPresent === undefined ? undefined : `Session Present ${facts.sessionPresent ? 1 : 0}`,
    facts.reason === undefined ? undefined : reasonName(facts.reason, facts.packet),
  ]
    .filter((part) => part !== undefined)
    .join(', ');

function reasonName(code: number, packet?: PacketName): string {
  if (code === 0 && packet === 'DISCONNECT') return reasons.normalDisconnection.name;
  if (code === 0 && packet === 'SUBACK') return reasons.grantedQos0.name;
  const known = (reasons.codes as Readonly<Record<number, { name: string } | undefined>>)[code];
  return known?.name ?? `0x${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

const whyNot: WhyNotMessages = {
  no_subscription: ({ client }) => `${josa(client, '은/는')} 아무것도 구독하지 않았어요.`,
  no_match: ({ filter, level, topic }) =>
    `필터 ${josa(filter, '은/는')} ${level}번째 레벨에서 어긋나요. 필터에는 ${at(filter, level)}, 토픽에는 ${at(topic, level)}.`,
  dollar: ({ filter, topic }) =>
    `필터 ${josa(filter, '은/는')} 와일드카드로, 토픽 ${josa(topic, '은/는')} $로 시작해요.`,
  no_local: ({ client }) => `${josa(client, '이/가')} 스스로 발행했고, 자기 메시지는 받지 않겠다고 했어요(No Local).`,
  not_permitted: ({ client, topic }) => `${client}에는 ${josa(topic, '을/를')} 받을 권한이 없어요.`,
  another_member: ({ filter }) => `이번에는 그룹 ${filter}의 다른 구성원이 받았어요.`,
  offline: ({ client }) => `${josa(client, '이/가')} 자리에 없었고, QoS 0은 기다리지 않아요.`,
  queue_full: ({ client }) => `${client}의 대기열이 가득 찼어요.`,
  outbox_full: ({ client }) => `${client}에 보낼 것이 너무 밀렸고, QoS 0은 기다리지 않아요.`,
  packet_too_large: ({ client }) => `패킷이 ${client}의 최대 패킷 크기를 넘어요.`,
  expired: () => '메시지의 유효 시간이 지났어요.',
  memory: () => '브로커의 메모리가 한도에 가까웠어요.',
};

const commands: CommandMessages = {
  connect: (who) => `${josa(who, '이/가')} 연결해요`,
  disconnect: (who, { with_will }) => `${josa(who, '이/가')} ${with_will ? '유언과 함께 ' : ''}연결을 끊어요`,
  subscribe: (who, { filter, qos }) =>
    `${josa(who, '이/가')} ${josa(filter, '을/를')} QoS ${josa(qos, '으로/로')} 구독해요`,
  unsubscribe: (who, { filter }) => `${josa(who, '이/가')} ${filter} 구독을 취소해요`,
  publish: (who, { topic, payload, qos = 0 }) =>
    `${josa(who, '이/가')} ${topic}에 ${josa(payload || '빈 페이로드', '을/를')} QoS ${josa(qos, '으로/로')} 발행해요`,
  ack: (who) => `${josa(who, '이/가')} 메시지 하나를 확인해요`,
  raw: (who, { hex }) => `${josa(who, '이/가')} 바이트 ${hex.length / 2}개를 그대로 보내요`,
  link: (who) => `${who}의 링크가 달라져요`,
  cut: (who) => `${who}의 링크가 끊겨요`,
  half_open: (who) => `${who}의 링크가 조용히 죽어요(half-open)`,
  heal: (who) => `${who}의 링크가 나아요`,
  cut_when: (who, { packet, at: when }) =>
    `${josa(packet, '을/를')} ${when === 'sent' ? '보낼 때' : when === 'half_way' ? '나르는 도중에' : '전한 뒤에'} ${who}의 링크를 끊을 거예요`,
  cancel_cut_when: (who) => `${who}의 링크를 끊지 않기로 했어요`,
  freeze: (who) => `${who}의 프로그램이 멈춰요`,
  thaw: (who) => `${who}의 프로그램이 다시 움직여요`,
  restart: (_, { storage }) => (storage ? '브로커가 저장소를 두고 다시 켜져요' : '브로커가 저장소 없이 다시 켜져요'),
  add_client: (who) => `${josa(who, '을/를')} 더해요`,
  remove_client: (who) => `${josa(who, '을/를')} 빼요`,
  broker: () => '브로커의 한도가 달라져요',
  predict: () => '답을 예상했어요',
};

export const ko: typeof en = {
  language: '한국어',
  title: '직접 해 보는 MQTT',
  skip: '본문으로 가기',
  close: '닫기',
  cancel: '취소',
  apply: '적용',
  copy: '복사',
  copied: '복사했어요',
  broker: '브로커',
  section: (v5, v311) => (v5 === v311 ? `${v5}절` : `${v5}절(5.0), ${v311}절(3.1.1)`),

  plain: {
    noScript:
      '이 시뮬레이터는 브라우저 안에서 MQTT 브로커를 실행하기 때문에 자바스크립트가 필요해요. 자바스크립트를 켜고 다시 열어 주세요.',
    noWasm:
      '이 시뮬레이터는 브라우저 안에서 MQTT 브로커를 실행하기 때문에 웹어셈블리가 필요해요. 지금 브라우저에는 없거나 꺼져 있어요. 최신 파이어폭스, 크롬, 엣지, 사파리라면 열 수 있어요.',
    loadFailed: '시뮬레이터를 불러오지 못했어요. 연결을 확인하고 다시 열어 주세요. 진도는 그대로 있어요.',
  },

  start: {
    lead: '이 페이지 안에서 진짜 MQTT 브로커가 돌아가요. 메시지를 보내고 연결을 끊으면서 패킷 하나하나가 어떻게 되는지 보세요.',
    learn: '배우기',
    learnHint: (count) => `첫 메시지부터 브로커 재시작까지, 짧은 레슨 ${count}개`,
    sandbox: '모래밭',
    sandboxHint: '클라이언트를 마음대로 만들어 무엇이든 해 보기',
    resume: (title) => `이어서 하기: ${title}`,
    progress: (done, all) => `레슨 ${all}개 중 ${done}개 통과`,
    passed: '통과',
    minutes: (count) => `${count}분`,
    reset: '진도 지우기',
    resetAsk: '통과한 레슨 기록을 지울까요? 되돌릴 수 없어요.',
    resetDone: '진도를 지웠어요.',
    private: '진도는 이 브라우저에만 남아요.',
    theme: '색',
    themes: { system: '시스템 설정대로', light: '밝게', dark: '어둡게' },
    glossary: '용어집',
    gallery: '전시장',
    offline: '오프라인에서도 쓸 수 있어요',
  },

  lesson: {
    number: (number) => `레슨 ${number}`,
    predict: '어떻게 될까요?',
    predictFirst: '먼저 답하고 나서 해 보세요.',
    right: '맞았어요.',
    wrong: (answer) => `정답은 이거예요: ${answer}`,
    goal: '목표',
    open: '아직이에요',
    reached: '해냈어요!',
    passed: (title) => `레슨 통과: ${title}`,
    hint: (number, all) => `힌트 ${number}/${all}`,
    nextHint: '힌트 보기',
    noMoreHints: '힌트를 다 봤어요',
    trap: '여기를 보세요',
    look: '눈여겨볼 곳',
    standard: '표준에서는',
    solution: '풀이 보기',
    solutionAsk: '풀이는 레슨을 처음부터 다시 시작해서 대신 해 보여 줘요.',
    again: '처음부터 다시',
    next: '다음 레슨',
    previous: '이전 레슨',
    all: '모든 레슨',
    last: '마지막 레슨이었어요. 이제 모래밭에서 마음껏 해 보세요.',
    openField: (name) => `${josa(name, '을/를')} 바꿀 수 있어요`,
  },

  stage: {
    views: { map: '지도', ladder: '사다리', split: '둘 다' },
    tabs: { why: '왜', packet: '패킷', session: '세션', topics: '토픽', log: '로그' },
    palette: '할 수 있는 일',
    inspectors: '들여다보기',
    nothing: '아직 고른 것이 없어요.',
    help: '도움말',
    fullscreen: '발표 크기',
    leave: '시작 화면으로',
  },

  map: {
    label: (clients) => `지도: 브로커와 클라이언트 ${clients}개`,
    client: (name, state) => `${name}, ${state}`,
    states: {
      away: '연결 안 됨',
      connecting: '연결하는 중',
      connected: '연결됨',
      frozen: '멈춤',
      halfOpen: '반쯤 열림: 아직 아무도 몰라요',
    },
    link: (name) => `${josa(name, '과/와')} 브로커 사이의 링크`,
    carrying: (count) => `패킷 ${count}개가 가는 중`,
    menu: (name) => `${josa(name, '으로/로')} 할 수 있는 일`,
  },

  ladder: {
    label: '사다리: 시간은 아래로 흐르고, 세로줄은 클라이언트와 브로커예요',
    earlier: '앞쪽',
    later: '뒤쪽',
    session: (name) => `${name}의 세션`,
    sessionEnds: '세션 끝',
    cut: '끊김',
    halfOpen: '반쯤 열림',
    lost: '잃음',
    retained: '보존',
    will: '유언',
    took: (duration) => `${duration} 걸림`,
    follow: '시간 따라가기',
  },

  why: {
    lead: '메시지를 발행하면, 클라이언트마다 받았는지와 그 이유가 여기 나와요.',
    choose: '메시지',
    message: (topic, payload) => `${topic}에 ${payload || '빈 페이로드'}`,
    delivered: ({ filter, qos, retained }: DeliveryFacts) =>
      `${retained ? '보존되어 있던 것을 ' : ''}필터 ${josa(filter, '으로/로')} 받았어요. QoS ${josa(qos, '이에요/예요')}.`,
    queued: ({ client, filter, qos }: DeliveryFacts) =>
      `${client}의 세션에서 기다려요. 필터 ${filter}, QoS ${josa(qos, '이에요/예요')}.`,
    notDelivered: '받지 못함',
    lower: (message, granted) => `메시지의 QoS ${josa(message, '과/와')} 구독의 QoS ${granted} 중 낮은 쪽이에요.`,
    nobody: '이 토픽을 구독한 클라이언트가 없어요.',
    not: whyNot,
  },

  packet: {
    lead: '지도, 사다리, 로그에서 패킷을 고르세요.',
    fields: '필드',
    bytes: '바이트',
    value: '값',
    bits: (from, to) => (from === to ? `비트 ${from}` : `비트 ${from}–${to}`),
    range: (from, to) => (from === to ? `바이트 ${from}` : `바이트 ${from}–${to}`),
    size: (count) => `${count}바이트`,
    causedBy: '원인',
    causes: '결과',
    edit: '바이트 고치기',
    resend: '이 바이트 보내기',
    notHex: (position) => `${position}번째 글자: 0–9와 a–f만, 바이트마다 두 글자씩 쓸 수 있어요.`,
    verdict: '브로커가 읽은 결과',
    fine: '올바른 패킷이에요.',
    reason: reasonName,
  },

  session: {
    lead: '클라이언트를 고르세요.',
    none: '브로커에 이 클라이언트의 세션이 없어요.',
    subscriptions: '구독',
    noSubscriptions: '없음',
    queue: '대기열',
    queued: (count) => `메시지 ${count}개가 기다려요`,
    inFlight: '전송 중',
    waitsFor: (packet) => `${josa(packet, '을/를')} 기다려요`,
    held: '받고 아직 놓지 않은 QoS 2 식별자',
    receiveMaximum: (used, all) => `전송 중 ${used}/${all}(수신 최대치)`,
    keepAlive: (passed, limit) => `클라이언트가 조용한 지 ${passed}, 한도 ${limit}`,
    keepAliveOff: 'Keep Alive가 꺼져 있어요',
    will: '발행할 준비가 된 유언',
    noWill: '유언 없음',
    willDelay: (duration) => `${duration} 늦춰서`,
    expires: (duration) => `${duration} 뒤에 끝나요`,
    endsWithConnection: '연결과 함께 끝나요',
    neverEnds: '끝이 없어요',
    aliases: '토픽 별칭',
  },

  topics: {
    lead: '쓰인 적이 있는 모든 토픽과 보존된 값이에요.',
    empty: '아직 발행된 메시지가 없어요.',
    retained: '보존됨',
    live: '마지막 값',
    emptyLevel: '(빈 레벨)',
    subscribers: (count) => `구독 ${count}개`,
    tryFilter: '토픽 필터 시험하기',
    matches: (count) => `토픽 ${count}개에 맞아요`,
    fails: (topic, level) => `${josa(topic, '은/는')} ${level}번째 레벨에서 어긋나요`,
    publishHere: '이 토픽에 발행하기',
    subscribeHere: '이 토픽 구독하기',
    filterErrors: {
      empty: '토픽 필터는 한 글자 이상이어야 해요.',
      hash: '#은 마지막 레벨에 혼자만 올 수 있어요.',
      plus: '+는 레벨을 혼자 차지해야 해요.',
      nul: '널 문자는 쓸 수 없어요.',
    },
  },

  log: {
    lead: '일어난 모든 일이 한 줄에 하나씩 있어요.',
    time: '시간',
    event: '사건',
    search: '로그에서 찾기',
    shown: (shown, all) => `${all}줄 중 ${shown}줄`,
    by: { user: '나', script: '대본', client: '스스로' },
    cause: (line) => `${line}번째 줄 때문에`,
    commands,
    opened: (client) => `${josa(client, '이/가')} 브로커로 링크를 열었어요`,
    sent: (facts) => `${end(facts.from)}에서 ${josa(end(facts.to), '으로/로')}: ${content(facts)}`,
    delivered: (facts) => `${end(facts.to)}에 도착: ${content(facts)}`,
    lost: (facts, percent) =>
      `${josa(end(facts.from), '과/와')} ${end(facts.to)} 사이 ${percent}% 지점에서 잃음: ${content(facts)}`,
    broke: (client) => `${josa(client, '과/와')} 브로커 사이의 링크가 끊겼어요`,
    learned: (client, who) =>
      who === 'client'
        ? `${josa(client, '이/가')} 링크가 끊긴 것을 알았어요`
        : `브로커가 ${client} 쪽 링크가 끊긴 것을 알았어요`,
    closed: (client, by, reason) =>
      `${by === 'client' ? josa(client, '이/가') : `브로커가 ${client} 쪽`} 링크를 닫았어요${reason && `: ${reason}`}`,
    published: (client, topic) =>
      client === null ? `브로커가 ${topic}에 발행했어요` : `브로커가 ${client}의 메시지를 받았어요: ${topic}`,
    decidedDelivered: ({ client, topic, filter, qos }: DeliveryFacts) =>
      `브로커가 ${client}에 ${josa(topic, '을/를')} 전해요: 필터 ${filter}, QoS ${qos}`,
    decidedQueued: ({ client, topic }: DeliveryFacts) => `브로커가 ${client}에 줄 ${josa(topic, '을/를')} 간직해요`,
    decidedNot: (client, topic, why) => `브로커가 ${client}에 ${josa(topic, '을/를')} 전하지 않아요. ${why}`,
    connected: (client, sessionPresent) =>
      sessionPresent
        ? `${josa(client, '이/가')} 연결해서 세션을 이어 가요`
        : `${josa(client, '이/가')} 새 세션으로 연결했어요`,
    refusedConnection: (client, why) => `브로커가 ${josa(client, '을/를')} 거절했어요: ${why}`,
    disconnected: (client, sessionKept) =>
      sessionKept ? `${josa(client, '이/가')} 떠났고 세션은 남아요` : `${josa(client, '이/가')} 떠났고 세션도 끝나요`,
    sessionEnded: {
      expired: (client) => `${client}의 세션이 만료됐어요`,
      clean_start: (client) => `${josa(client, '이/가')} 새로 시작해서 앞의 세션이 끝났어요`,
      kicked: (client) => `관리자가 ${client}의 세션을 끝냈어요`,
    },
    dropping: (client, why) => `브로커가 ${client}에 보낼 메시지를 버려요: ${why}`,
    limit: (why) => `한도에 닿았어요: ${why}`,
    told: (client, topic, payload, flags) =>
      `${josa(client, '이/가')} ${topic}에서 ${josa(payload || '빈 페이로드', '을/를')} 받았어요, QoS ${flags.qos}${flags.retain ? ', RETAIN 1' : ''}${flags.dup ? ', DUP 1' : ''}`,
    refused: {
      not_connected: (client) => `${josa(client, '은/는')} 연결되어 있지 않아서 할 수 없어요`,
      connected: (client) => `${josa(client, '은/는')} 이미 연결되어 있어서 할 수 없어요`,
      topic: (client) => `${josa(client, '은/는')} 이것을 보내지 않아요. 올바른 토픽이 아니에요`,
      no_identifier: (client) => `${client}에 남은 패킷 식별자가 없어요`,
      unknown: (client) => `${josa(client, '은/는')} 지금 이것을 할 수 없어요`,
    },
    timer: {
      keep_alive: (client) => `${client}의 Keep Alive`,
      ping: (client) => `${client}의 PINGREQ`,
      reconnect: (client) => `${client}의 재연결`,
      will_delay: (client) => `${client}의 유언 지연`,
      session_expiry: (client) => `${client}의 세션 만료`,
      sys: () => '$SYS 갱신',
      other: () => '타이머',
    },
    restarted: (storage) => (storage ? '브로커가 저장된 것을 읽고 다시 켜졌어요' : '브로커가 텅 빈 채로 다시 켜졌어요'),
    idle: '오가는 것이 없어요',
  },

  view,
  app,

  transport: {
    label: '시간',
    play: '재생',
    pause: '멈춤',
    step: '한 걸음',
    stepBack: '한 걸음 뒤로',
    nextDelivery: '다음 도착',
    nextTimer: '다음 타이머',
    timerIn: (what, duration) => `${duration} 뒤: ${what}`,
    noTimer: '돌고 있는 타이머가 없어요',
    toStart: '처음으로',
    toEnd: '끝으로',
    speed: '빠르기',
    times: (factor) => `${factor}배`,
    playhead: '시간 위치',
    position: (now, all) => `${all} 중 ${now}`,
    paused: (events) => `사건 ${events}개 뒤에 멈췄어요`,
    branches: '갈래',
    branch: (number) => `갈래 ${number}`,
    branched: (number) => `과거를 바꿔서 갈래 ${josa(number, '이/가')} 생겼어요. 원래 미래도 그대로 있어요.`,
    compare: '나란히 보기',
    compareWith: '견줄 갈래',
    onlyOne: '아직 갈래가 하나예요. 되감아서 다르게 해 보세요.',
  },

  sandbox: {
    title: '모래밭',
    presets: {
      title: '무엇으로 시작할까요?',
      empty: '빈 집',
      kitchen: '주방: 센서와 휴대폰',
      home: '집: 주방, 화장실, 휴대폰, 현황판',
      restroom: '화장실: 유언과 접속 상태',
    },
    add: '클라이언트 더하기',
    remove: (name) => `${name} 빼기`,
    icons: { sensor: '센서', phone: '휴대폰', server: '서버', dashboard: '현황판' },
    name: field('이름'),
    icon: field('그림'),
    reconnect: field('스스로 돌아올 때까지(초)', '비우면 스스로 돌아오지 않아요.'),
    ack: field('확인 응답', '손으로 하면 QoS 1과 2의 메시지가 전송 중에 머물러요.'),
    acks: { auto: '바로', manual: '손으로' },
    verbs: {
      connect: '연결',
      disconnect: '연결 끊기',
      disconnectWithWill: '유언과 함께 연결 끊기',
      subscribe: '구독',
      unsubscribe: '구독 취소',
      publish: '발행',
      ack: '하나 확인',
      raw: '바이트 보내기',
      cut: '플러그 뽑기',
      cutWhen: '이럴 때 끊기…',
      cancelCutWhen: '끊기 취소',
      halfOpen: '조용히 죽이기(half-open)',
      heal: '링크 고치기',
      freeze: '프로그램 멈추기',
      thaw: '프로그램 다시 움직이기',
      restartKept: '저장소를 두고 다시 켜기',
      restartEmpty: '저장소 없이 다시 켜기',
    },
    connect: {
      title: 'CONNECT',
      version: field('버전'),
      clientIdentifier: field('클라이언트 식별자', '하나뿐이어야 해요. 같은 이름으로 온 쪽이 자리를 넘겨받아요.'),
      cleanStart: field('Clean Start', '옛 세션을 버려요. 3.1.1에서는 Clean Session이에요.'),
      keepAlive: field('Keep Alive(초)', '0이면 꺼져요.'),
      sessionExpiry: field('세션 만료 간격(초)', '0이면 세션이 연결과 함께 끝나요. 5.0만.'),
      receiveMaximum: field(
        '수신 최대치',
        '이 클라이언트로 가는 QoS 1과 2의 메시지가 한 번에 몇 개까지 전송 중일 수 있는지. 5.0만.',
      ),
      userName: field('사용자 이름'),
      password: field('암호', '여기와 공유 링크에 그대로 보여요. 진짜 암호는 쓰지 마세요.'),
      will: field('유언'),
      willTopic: field('유언 토픽'),
      willPayload: field('유언 페이로드'),
      willQos: field('유언 QoS'),
      willRetain: field('유언 RETAIN'),
      willDelay: field('유언 지연 간격(초)', '5.0만.'),
    },
    publish: {
      title: 'PUBLISH',
      topic: field('토픽 이름', '와일드카드는 쓸 수 없어요.'),
      payload: field('페이로드', '비우고 RETAIN을 켜면 보존 메시지를 지워요.'),
      qos: field('QoS'),
      retain: field('RETAIN', '나중에 구독할 클라이언트를 위해 브로커가 간직해요.'),
      expiry: field('메시지 만료 간격(초)', '비우면 없음. 5.0만.'),
      contentType: field('콘텐츠 형식', '5.0만.'),
      responseTopic: field('응답 토픽', '5.0만.'),
      correlation: field('상관 데이터', '5.0만.'),
      user: field('사용자 속성', '이름과 값. 5.0만.'),
      addUser: '사용자 속성 더하기',
    },
    subscribe: {
      title: 'SUBSCRIBE',
      filter: field('토픽 필터', '+는 한 레벨, #은 나머지 모두예요.'),
      qos: field('최대 QoS'),
      noLocal: field('No Local', '자기가 보낸 메시지는 받지 않아요. 5.0만.'),
      retainAsPublished: field('Retain As Published', 'RETAIN을 보낸 그대로 받아요. 5.0만.'),
      retainHandling: field('Retain Handling', '5.0만.'),
      retainHandlings: ['보존 메시지 보내기', '새 구독일 때만 보내기', '보내지 않기'],
      identifier: field('구독 식별자', '비우면 없음. 5.0만.'),
    },
    link: {
      title: '링크',
      latency: field('지연, 한쪽 길(ms)'),
      jitter: field('지터(ms)', '늦추기만 하고 순서는 바꾸지 않아요.'),
      bandwidth: field('초당 바이트', '0이면 제한이 없어요.'),
      packet: field('패킷'),
      toward: field('방향'),
      towards: { broker: '브로커 쪽으로', client: '클라이언트 쪽으로', both: '양쪽으로' },
      nth: field('몇 번째', '1이 바로 다음이에요.'),
      at: field('언제'),
      moments: { sent: '보낼 때', half_way: '가는 도중에', delivered: '도착할 때' },
    },
    brokerForm: {
      title: '브로커',
      storage: field('저장소', '다시 켰을 때 저장된 것을 찾을지 정해요.'),
      receiveMaximum: field('수신 최대치', '한 클라이언트에게서 오는, 끝나지 않은 QoS 1과 2의 메시지 수.'),
      maximumQos: field('최대 QoS'),
      queue: field('한 세션에서 기다릴 수 있는 메시지'),
      sys: field('$SYS 토픽', '브로커가 자기 상태를 발행해요.'),
    },
    raw: field('바이트(16진수)'),
    predicted: '예상',
    problems: {
      required: '꼭 있어야 해요.',
      number: (min, max) => `${min}부터 ${max}까지의 정수여야 해요.`,
      wildcard: '토픽 이름에는 +와 #을 쓸 수 없어요.',
      tooLong: '65,535바이트를 넘어요.',
      taken: (name) => `${josa(name, '은/는')} 이미 있어요.`,
    },
  },

  gallery: {
    title: '전시장',
    lead: '시뮬레이터의 모든 부분을 모든 상태로 모았어요.',
    state: (name) => `상태: ${name}`,
  },

  share: {
    title: '공유',
    link: '이 시나리오의 링크',
    linkHint: '모든 것이 링크 안에 있고, 어디에도 저장하지 않아요.',
    tooLong: (kilobytes) => `링크가 ${kilobytes}kB라서 받지 못하는 프로그램이 많아요. 파일로 저장하세요.`,
    file: '파일로 저장',
    openFile: '파일 열기',
    svg: '사다리를 SVG로',
    mermaid: '사다리를 Mermaid 글로',
    test: 'MQTT.js 테스트',
    testHint: 'wasmqtt/testing으로 돌아가는, 이 시나리오의 테스트 뼈대예요.',
    embed: '페이지에 넣기',
  },

  embed: {
    open: '시뮬레이터에서 열기',
    label: 'MQTT 시뮬레이터',
  },

  errors: {
    title: '이 링크를 열 수 없어요',
    safe: '진도는 그대로 있어요.',
    toStart: '시작 화면으로',
    notALink: '# 뒤가 이 시뮬레이터의 링크가 아니에요.',
    cutOff: (position) => `링크가 ${position}번째 글자에서 잘렸거나 바뀌었어요. 처음부터 끝까지 다시 복사해 주세요.`,
    version: (found, known) =>
      `링크는 버전 ${found}인데 이 시뮬레이터는 ${known}까지 알아요. 페이지를 다시 열어 최신판을 받으세요.`,
    notJson: (line, column) => `${line}번째 줄 ${column}번째 칸에서 읽을 수 없어요.`,
    unknownField: ({ where }: Mistake) => `${josa(where, '이라는/라는')} 필드는 없어요.`,
    missing: ({ where }: Mistake) => `${where} 필드가 빠졌어요.`,
    wrong: ({ where, found, allowed }: Mistake) =>
      `${where || '시나리오'}: ${found === undefined ? '올바르지 않아요' : `${josa(found, '은/는')} 쓸 수 없어요`}.${allowed === undefined ? '' : ` 쓸 수 있는 값: ${allowed}`}`,
    noClient: ({ where, found }: Mistake) => `${where}: ${josa(found ?? '', '이라는/라는')} 클라이언트가 없어요.`,
    twice: ({ where, found }: Mistake) => `${where}: ${josa(found ?? '', '이/가')} 두 번 나와요.`,
    noLesson: (id) => `${josa(id, '이라는/라는')} 레슨은 없어요.`,
    tooLarge: (limit) => `${josa(limit, '을/를')} 넘어요.`,
    noStorage: '이 브라우저에서는 저장을 할 수 없어서, 페이지를 떠나면 진도가 사라져요.',
    crashed: '저희 잘못으로 시뮬레이터가 멈췄어요. 되감거나 처음부터 다시 해 보세요. 자세한 내용은 로그에 있어요.',
  },

  keys: {
    title: '단축키',
    enabled: '단축키 켜기',
    rows: [
      ['Space', '재생하거나 멈추기'],
      ['← →', '한 걸음 뒤로, 앞으로'],
      ['Home End', '처음으로, 끝으로'],
      ['.', '다음 도착'],
      ['1 – 6', '보기나 탭 바꾸기'],
      ['?', '이 목록'],
    ],
  },

  glossary: {
    title: '용어집',
    lead: '이 페이지에서 쓰는 MQTT의 말들이에요.',
    see: '함께 보기',
    search: '용어 찾기',
    none: (text) => `‘${text}’에 맞는 말이 없어요.`,
  },

  reasons,
};
