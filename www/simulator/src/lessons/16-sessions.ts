import { device, house, KEEPS_SESSION, TEMPERATURE } from './house';
import { type Lesson, told } from './lesson';
import { type Atom, type Command, s } from './stage';

const reading = (payload: string): Command => ({ do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload, qos: 1 });
const THREE: readonly Command[] = [reading('21'), reading('22'), reading('23')];
const PUBLISHED: Atom = { command: { do: 'publish', who: 'kitchen', by: 'user' } };
const WAITS: Atom = { decision: { is: 'delivered', who: 'phone', how: 'queued' } };

// script   phone CONNECT Clean Start 1, SUBSCRIBE, DISCONNECT: its Session ends; three PUBLISH for nobody;
//          CONNECT, CONNACK Session Present 0, nothing
// learner  phone → broker    CONNECT Clean Start 0, Session Expiry Interval 3600;  CONNACK Session Present 0
//          phone → broker    SUBSCRIBE QoS 1, SUBACK 1;  DISCONNECT: the Session stays
//          kitchen → broker  PUBLISH "21", "22", "23" QoS 1, PUBACK each: queued
//          phone → broker    CONNECT Clean Start 0;  CONNACK Session Present 1, PUBLISH "21", "22", "23";  PUBACK each
export const sessions: Lesson = {
  id: 'sessions',
  number: 16,
  minutes: 6,
  title: { ko: '자는 동안 온 메시지', en: 'While you were asleep' },
  story: {
    ko: '휴대폰은 주방 온도를 QoS 1로 구독(subscribe)하고 잠들었어요. 그사이 온도 세 개가 발행됐는데, 깨어 보니 하나도 없어요. 먼저 처음부터 재생해서 보세요.',
    en: 'The phone subscribed to the kitchen’s temperature with QoS 1 and fell asleep. Three readings were published meanwhile, and on waking it finds none. Play it once from the beginning.',
  },
  question: {
    ask: {
      ko: '휴대폰은 `Clean Start 1`, 세션 만료(Session Expiry Interval) 0으로 연결했어요. 자는 동안 구독은 어떻게 됐을까요?',
      en: 'The phone connected with `Clean Start 1` and Session Expiry Interval 0. What became of its Subscription while it slept?',
    },
    options: [
      { id: 'kept', text: { ko: '남아 있고 메시지만 사라졌어요', en: 'It stayed; only the messages are gone' } },
      {
        id: 'ended',
        text: {
          ko: '연결이 끝날 때 세션과 함께 사라졌어요',
          en: 'It ended together with the Session, when the connection ended',
        },
      },
    ],
    right: 'ended',
    why: {
      ko: '구독도, 기다리는 메시지도 세션(Session)의 일부예요. 만료가 0이면 세션은 연결과 함께 끝나요.',
      en: 'Subscriptions and waiting messages are part of the Session, and with an expiry of 0 it ends with the connection.',
    },
  },
  goal: {
    ko: '휴대폰이 자는 동안 세 메시지가 기다리게 하세요. 휴대폰이 돌아오면 CONNACK에 `Session Present 1`이 있고, 21, 22, 23이 순서대로 와야 해요.',
    en: 'Make three messages wait for the sleeping phone. On its return CONNACK must say `Session Present 1`, and 21, 22, 23 must come in order.',
  },
  actions: [
    {
      label: { ko: '휴대폰: 연결하기', en: 'Phone: connect' },
      commands: [{ do: 'connect', who: 'phone', clean_start: true, session_expiry_s: 0 }],
      edit: ['clean_start', 'session_expiry_s'],
    },
    {
      label: { ko: '휴대폰: 구독하기', en: 'Phone: subscribe' },
      commands: [{ do: 'subscribe', who: 'phone', filter: TEMPERATURE, qos: 1 }],
      edit: ['qos'],
    },
    { label: { ko: '휴대폰: 잠들기', en: 'Phone: go to sleep' }, commands: [{ do: 'disconnect', who: 'phone' }] },
    { label: { ko: '21, 22, 23 발행하기', en: 'Publish 21, 22, 23' }, commands: THREE },
  ],
  scenario: house({
    clients: [device('kitchen'), device('phone')],
    script: [
      [0, { do: 'connect', who: 'kitchen' }],
      [0, { do: 'connect', who: 'phone' }],
      [s(1), { do: 'subscribe', who: 'phone', filter: TEMPERATURE, qos: 1 }],
      [s(2), { do: 'disconnect', who: 'phone' }],
      [s(3), reading('18')],
      [s(3.5), reading('19')],
      [s(4), reading('20')],
      [s(6), { do: 'connect', who: 'phone' }],
      [s(8), { do: 'disconnect', who: 'phone' }],
    ],
    view: 'ladder',
  }),
  check: {
    before: [
      WAITS,
      { delivered: { to: 'phone', packet: 'CONNACK', session_present: true } },
      told('phone', TEMPERATURE, { payload: '21' }),
      told('phone', TEMPERATURE, { payload: '22' }),
      told('phone', TEMPERATURE, { payload: '23' }),
    ],
  },
  hints: [
    {
      ko: '구독하기 전에, 연결할 때 이미 정해져요. 연결의 두 칸을 보세요.',
      en: 'It is decided when connecting, before the subscription. Look at the two fields of the connection.',
    },
    {
      ko: '`Clean Start`를 끄고 세션 만료를 넉넉히(예: 3600) 두세요. 다시 연결할 때도요.',
      en: 'Turn `Clean Start` off and give the Session time, say 3600. Both times you connect.',
    },
    {
      ko: '그렇게 연결, 구독, 잠들기, 발행, 다시 같은 값으로 연결. 사이사이 재생하세요.',
      en: 'Connect like that, subscribe, sleep, publish, connect again with the same values. Play a little in between.',
    },
  ],
  traps: [
    {
      when: { before: [PUBLISHED, { delivered: { to: 'phone', packet: 'CONNACK', session_present: false } }] },
      say: {
        ko: '`Session Present 0`이에요. 잠들 때 세션이 끝났거나(만료 0), 돌아오면서 지웠어요(`Clean Start 1`).',
        en: '`Session Present 0`: the Session ended when it fell asleep (expiry 0) or was wiped on return (`Clean Start 1`).',
      },
    },
    {
      when: {
        since: { last: PUBLISHED, check: { decision: { is: 'not_delivered', who: 'phone', why: 'offline' } } },
      },
      say: {
        ko: '세션은 남아 있지만 QoS 0 메시지는 기다리지 않아요. 구독과 발행 모두 QoS 1이어야 해요.',
        en: 'The Session is there, but QoS 0 messages don’t wait. Both the Subscription and the message need QoS 1.',
      },
    },
    {
      when: {
        since: {
          last: PUBLISHED,
          check: { decision: { is: 'not_delivered', who: 'phone', why: 'no_subscription' } },
        },
      },
      say: {
        ko: '세션은 남았는데 구독이 없어요. 잠들기 전에 구독하세요.',
        en: 'The Session is there, but it has no Subscription. Subscribe before going to sleep.',
      },
    },
  ],
  sections: [
    {
      v5: '3.1.2.4',
      v311: '3.1.2.4',
      says: {
        ko: '5.0의 Clean Start(3.1.1의 Clean Session)가 0이면 있던 세션을 이어 가고, 1이면 버리고 새로 시작해요.',
        en: 'With Clean Start 0 (Clean Session in 3.1.1) an existing Session is resumed; with 1 it is discarded.',
      },
    },
    {
      v5: '4.1',
      v311: '3.1.2.4',
      says: {
        ko: '브로커의 세션에는 구독과, 아직 전하지 못한 QoS 1·2 메시지가 들어 있어요.',
        en: 'The broker’s Session holds the Subscriptions and the QoS 1 and 2 messages not delivered yet.',
      },
    },
    {
      v5: '3.2.2.1.1',
      v311: '3.2.2.2',
      says: {
        ko: 'CONNACK의 Session Present는 브로커가 세션을 갖고 있었는지 알려 줘요.',
        en: 'Session Present in CONNACK tells whether the broker had the Session.',
      },
    },
  ],
  solution: [
    ['settled', { do: 'connect', who: 'phone', ...KEEPS_SESSION }],
    ['settled', { do: 'subscribe', who: 'phone', filter: TEMPERATURE, qos: 1 }],
    ['settled', { do: 'disconnect', who: 'phone' }],
    ...THREE.map((command) => ['settled', command] as const),
    ['settled', { do: 'connect', who: 'phone', ...KEEPS_SESSION }],
  ],
  look: {
    at: 'session',
    text: {
      ko: '자는 동안 휴대폰의 대기열에 메시지가 쌓이는 것을 보세요.',
      en: 'Watch the queue of the phone’s Session fill while it sleeps.',
    },
  },
  closing: {
    ko: '3.1.1에서는 `Clean Session 0` 하나로 둘 다 정하고, 세션은 끝이 없어요. 5.0은 ‘새로 시작할까’와 ‘얼마나 남을까’를 나눴어요.',
    en: 'In 3.1.1 `Clean Session 0` alone decides, and the Session has no end. 5.0 asks two questions: start anew, and how long to stay.',
  },
};
