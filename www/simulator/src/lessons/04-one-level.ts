import { device, HUMIDITY, house, TEMPERATURE } from './house';
import { type Lesson, told } from './lesson';
import { type Atom, type Command, s } from './stage';

const RESTROOM_TEMPERATURE = 'home/restroom/temperature';
const RESTROOM_HUMIDITY = 'home/restroom/humidity';
const OVEN = 'home/kitchen/oven/temperature';

// Humidity and oven first: links keep their order, so whoever was told the temperatures was passed by the rest before.
const ROUND: readonly Command[] = [
  { do: 'publish', who: 'kitchen', topic: HUMIDITY, payload: '40' },
  { do: 'publish', who: 'kitchen', topic: OVEN, payload: '180' },
  { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21' },
  { do: 'publish', who: 'restroom', topic: RESTROOM_HUMIDITY, payload: '70' },
  { do: 'publish', who: 'restroom', topic: RESTROOM_TEMPERATURE, payload: '19' },
];
const ROUND_BEGINS: Atom = { command: { do: 'publish', who: 'kitchen', topic: HUMIDITY, by: 'user' } };

// phone → broker    SUBSCRIBE home/+/temperature,  broker → phone  SUBACK 0
// kitchen → broker  PUBLISH humidity, oven, temperature;  restroom → broker  PUBLISH humidity, temperature
// broker → phone    PUBLISH home/kitchen/temperature "21",  PUBLISH home/restroom/temperature "19", no more
export const oneLevel: Lesson = {
  id: 'one-level',
  number: 4,
  minutes: 4,
  title: { ko: '`+`는 한 레벨', en: '`+` is one level' },
  story: {
    ko: '집에는 방이 여럿이에요. 휴대폰은 모든 방의 온도를 보고 싶지만 방마다 따로 구독(subscribe)하기는 싫어요. 방은 내일 하나 더 늘 수도 있거든요.',
    en: 'The house has several rooms. The phone wants the temperature of each, without a subscription per room: there may be one more room tomorrow.',
  },
  question: {
    ask: {
      ko: '토픽 필터(Topic Filter) `home/+/temperature`에 맞지 않는 것은 무엇일까요?',
      en: 'Which of these does the Topic Filter `home/+/temperature` not match?',
    },
    options: [
      { id: 'kitchen', text: { ko: '`home/kitchen/temperature`', en: '`home/kitchen/temperature`' } },
      { id: 'restroom', text: { ko: '`home/restroom/temperature`', en: '`home/restroom/temperature`' } },
      { id: 'oven', text: { ko: '`home/kitchen/oven/temperature`', en: '`home/kitchen/oven/temperature`' } },
    ],
    right: 'oven',
    why: {
      ko: '`+`는 레벨 하나를 대신해요. 오븐의 토픽은 레벨이 넷이라서 셋짜리 필터와 맞지 않아요.',
      en: '`+` stands for exactly one level. The oven’s topic has four levels, the filter three.',
    },
  },
  goal: {
    ko: '필터 하나로 주방과 화장실의 온도만 받으세요. 습도와 오븐은 오면 안 돼요.',
    en: 'With one filter, get the temperatures of kitchen and restroom and nothing else: no humidity, no oven.',
  },
  actions: [
    {
      label: { ko: '휴대폰: 구독하기', en: 'Phone: subscribe' },
      commands: [{ do: 'subscribe', who: 'phone', filter: TEMPERATURE, qos: 0 }],
      edit: ['filter'],
    },
    {
      label: { ko: '휴대폰: 구독 취소하기', en: 'Phone: unsubscribe' },
      commands: [{ do: 'unsubscribe', who: 'phone', filter: TEMPERATURE }],
      edit: ['filter'],
    },
    { label: { ko: '모두 한 번씩 발행하기', en: 'Publish everything once' }, commands: ROUND },
  ],
  scenario: house({
    clients: [device('kitchen'), device('restroom'), device('phone')],
    script: [
      [0, { do: 'connect', who: 'kitchen' }],
      [0, { do: 'connect', who: 'restroom' }],
      [0, { do: 'connect', who: 'phone' }],
    ],
    begin: s(1),
    view: 'map',
  }),
  check: {
    all: [
      { state: { who: 'phone', subscriptions: 1 } },
      {
        since: {
          last: ROUND_BEGINS,
          check: {
            all: [
              { delivered: { from: 'kitchen', packet: 'PUBLISH', topic: OVEN } },
              { delivered: { from: 'restroom', packet: 'PUBLISH', topic: RESTROOM_HUMIDITY } },
              told('phone', TEMPERATURE),
              told('phone', RESTROOM_TEMPERATURE),
              { not: told('phone', HUMIDITY) },
              { not: told('phone', RESTROOM_HUMIDITY) },
              { not: told('phone', OVEN) },
            ],
          },
        },
      },
    ],
  },
  hints: [
    {
      ko: '두 토픽에서 다른 곳은 한 군데예요. 거기만 아무 이름이나 맞게 하면 돼요.',
      en: 'The two topics differ in one place. Only there may any name stand.',
    },
    { ko: '방 이름 자리에 `+`를 써 보세요.', en: 'Write `+` in place of the room.' },
    {
      ko: '`home/+/temperature`로 구독하고 ‘모두 한 번씩 발행하기’를 누르세요.',
      en: 'Subscribe to `home/+/temperature` and press “Publish everything once”.',
    },
  ],
  traps: [
    {
      when: { since: { last: ROUND_BEGINS, check: told('phone', OVEN) } },
      say: {
        ko: '오븐까지 왔어요. `#`은 아래 레벨을 모두 받아요. 되돌리려면 구독을 취소하세요.',
        en: 'That brought the oven too: `#` takes all levels below. Unsubscribe to undo it.',
      },
    },
    {
      when: {
        since: { last: ROUND_BEGINS, check: { any: [told('phone', HUMIDITY), told('phone', RESTROOM_HUMIDITY)] } },
      },
      say: {
        ko: '습도까지 왔어요. 마지막 레벨은 `temperature`로 정해 두세요. 넓은 구독은 취소하고요.',
        en: 'That brought humidity too. Leave the last level `temperature`, and unsubscribe from what was too wide.',
      },
    },
    {
      when: {
        all: [
          { state: { who: 'phone', subscribed: TEMPERATURE } },
          { state: { who: 'phone', subscribed: RESTROOM_TEMPERATURE } },
        ],
      },
      say: {
        ko: '필터 둘로도 되지만 방이 늘 때마다 또 구독해야 해요. 하나로 해 보세요.',
        en: 'Two filters work, until there is a third room. Try it with one.',
      },
    },
  ],
  sections: [
    {
      v5: '4.7.1.3',
      v311: '4.7.1.3',
      says: {
        ko: '`+`는 한 레벨에만 맞고, 그 레벨을 통째로 차지해야 해요.',
        en: '`+` matches one level only, and it must fill that level.',
      },
    },
  ],
  solution: [
    ['settled', { do: 'subscribe', who: 'phone', filter: 'home/+/temperature', qos: 0 }],
    ...ROUND.map((command) => ['settled', command] as const),
  ],
  look: {
    at: 'topics',
    text: { ko: '토픽 나무에서 `+`가 덮는 범위를 보세요.', en: 'See in the tree of topics what `+` covers.' },
  },
  closing: {
    ko: '`+`는 어느 레벨에나 여러 번 쓸 수 있어요. 다만 와일드카드(wildcard)는 구독할 때만 써요. 메시지는 늘 온전한 이름에 발행해요.',
    en: '`+` may stand at any level, more than once. But wildcards are for subscribing: a message is always published to a complete name.',
  },
};
