import { device, house, TEMPERATURE } from './house';
import { type Lesson, told } from './lesson';
import { s } from './stage';

const CONNECTED = '$SYS/broker/clients/connected';

// script   phone → broker SUBSCRIBE #; kitchen's PUBLISH reaches it; the broker publishes $SYS/… and the phone gets none
// learner  phone → broker SUBSCRIBE $SYS/broker/clients/connected, SUBACK 0
//          broker → phone PUBLISH $SYS/broker/clients/connected "2" RETAIN 1
export const dollar: Lesson = {
  id: 'dollar',
  number: 6,
  minutes: 3,
  title: { ko: '`$`로 시작하는 토픽', en: 'Topics that begin with `$`' },
  story: {
    ko: '휴대폰은 `#`을 구독(subscribe)해서 모든 메시지를 받는 줄 알아요. 브로커(broker)는 자기 상태를 `$SYS` 아래에 발행하고 있어요. 지금 몇 대가 연결돼 있는지도요.',
    en: 'The phone subscribed to `#` and believes it gets every message. The broker publishes its own numbers under `$SYS`, among them how many clients are connected.',
  },
  question: {
    ask: {
      ko: '브로커가 `$SYS/broker/uptime`에 발행하면, `#`을 구독한 휴대폰은 받을까요?',
      en: 'The broker publishes to `$SYS/broker/uptime`. Does the phone, subscribed to `#`, get it?',
    },
    options: [
      { id: 'yes', text: { ko: '네. `#`은 모든 토픽이니까요', en: 'Yes, `#` is every topic' } },
      {
        id: 'no',
        text: {
          ko: '아니요. `#`은 `$`로 시작하는 토픽에는 맞지 않아요',
          en: 'No, `#` doesn’t match topics that begin with `$`',
        },
      },
    ],
    right: 'no',
    why: {
      ko: '와일드카드(wildcard)로 시작하는 필터는 `$`로 시작하는 토픽에 맞지 않아요. 브로커의 속사정이 모두에게 쏟아지지 않게 하려는 규칙이에요.',
      en: 'A filter that begins with a wildcard matches no topic that begins with `$`. So the broker’s own affairs don’t pour onto everybody.',
    },
  },
  goal: {
    ko: '`#` 구독은 그대로 둔 채, 연결된 클라이언트 수(`$SYS/broker/clients/connected`)를 휴대폰이 받게 하세요.',
    en: 'Keep the subscription to `#`, and make the phone receive the number of connected clients, `$SYS/broker/clients/connected`.',
  },
  actions: [
    {
      label: { ko: '휴대폰: 구독하기', en: 'Phone: subscribe' },
      commands: [{ do: 'subscribe', who: 'phone', filter: '#', qos: 0 }],
      edit: ['filter'],
    },
  ],
  scenario: house(
    {
      clients: [device('kitchen'), device('phone')],
      script: [
        [0, { do: 'connect', who: 'kitchen' }],
        [0, { do: 'connect', who: 'phone' }],
        [s(1), { do: 'subscribe', who: 'phone', filter: '#', qos: 0 }],
        [s(3), { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21' }],
      ],
      begin: s(11),
      view: 'map',
    },
    { sys: true },
  ),
  check: { all: [{ state: { who: 'phone', subscribed: '#' } }, told('phone', CONNECTED)] },
  hints: [
    {
      ko: '맨 앞 레벨을 와일드카드 대신 글자로 써야 해요.',
      en: 'The first level has to be spelled out, not left to a wildcard.',
    },
    {
      ko: '첫 레벨은 `$SYS`예요. `#`과 함께 하나 더 구독할 수 있어요.',
      en: 'The first level is `$SYS`. A client may have this subscription beside `#`.',
    },
    {
      ko: '휴대폰에서 `$SYS/broker/clients/connected`를 구독하세요.',
      en: 'Subscribe the phone to `$SYS/broker/clients/connected`.',
    },
  ],
  traps: [
    {
      when: {
        any: [
          { state: { who: 'phone', subscribed: '+/broker/clients/connected' } },
          { state: { who: 'phone', subscribed: '+/#' } },
          { state: { who: 'phone', subscribed: '+/broker/#' } },
        ],
      },
      say: {
        ko: '맨 앞의 `+`도 와일드카드예요. `$`로 시작하는 레벨은 그대로 적어야 해요.',
        en: 'A leading `+` is a wildcard as well. A level that begins with `$` must be written out.',
      },
    },
    {
      when: { command: { do: 'unsubscribe', who: 'phone', filter: '#' } },
      say: { ko: '`#` 구독이 사라졌어요. 둘 다 필요해요.', en: 'The subscription to `#` is gone. You need both.' },
    },
  ],
  sections: [
    {
      v5: '4.7.2',
      v311: '4.7.2',
      says: {
        ko: '`#`이나 `+`로 시작하는 필터를 `$`로 시작하는 토픽에 맞추면 안 돼요. 둘 다 받으려면 `#`과 `$SYS/#`을 모두 구독해요.',
        en: 'Filters that begin with `#` or `+` must not match topics that begin with `$`. To get both, subscribe to `#` and to `$SYS/#`.',
      },
    },
  ],
  solution: [['settled', { do: 'subscribe', who: 'phone', filter: CONNECTED, qos: 0 }]],
  look: {
    at: 'why',
    text: {
      ko: '`$SYS` 메시지 하나를 골라 ‘왜’를 보세요. 휴대폰 줄에 이 규칙이 나와요.',
      en: 'Pick a `$SYS` message and open Why: the phone’s line names this rule.',
    },
  },
  closing: {
    ko: '`$SYS`는 표준이 정한 목록이 아니라 널리 쓰는 약속이에요. 이름은 브로커마다 조금씩 달라요.',
    en: '`$SYS` is a custom, not a list in the standard. Names differ a little from broker to broker.',
  },
};
