import { device, house, TEMPERATURE } from './house';
import { type Lesson, told } from './lesson';
import { type Atom, type Command, s } from './stage';

const RESTROOM_HUMIDITY = 'home/restroom/humidity';
const OFFICE = 'office/kitchen/temperature';

const ROUND: readonly Command[] = [
  { do: 'publish', who: 'office', topic: OFFICE, payload: '25' },
  { do: 'publish', who: 'restroom', topic: RESTROOM_HUMIDITY, payload: '70' },
  { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21' },
  { do: 'publish', who: 'kitchen', topic: 'home', payload: 'all well' },
];
const ROUND_BEGINS: Atom = { command: { do: 'publish', who: 'office', topic: OFFICE, by: 'user' } };

// SUBSCRIBE, 24 bytes follow; Packet Identifier 1; no properties; 18 bytes "home/#/temperature"; options 0
const FORBIDDEN = '821800010000' + '12686f6d652f232f74656d7065726174757265' + '00';

// dashboard → broker  SUBSCRIBE home/#,  SUBACK 0
// office, restroom, kitchen → broker  PUBLISH office/…, home/restroom/humidity, home/kitchen/temperature, home
// broker → dashboard  the last three
// tablet → broker     SUBSCRIBE home/#/temperature,  broker → tablet  DISCONNECT 0x82 (Protocol Error), closed
export const theRest: Lesson = {
  id: 'the-rest',
  number: 5,
  minutes: 5,
  title: { ko: '`#`은 나머지 모두', en: '`#` is all the rest' },
  story: {
    ko: '현황판은 집에서 일어나는 일을 모두 받고 싶어요. 레벨이 몇이든요. 하지만 같은 브로커를 쓰는 사무실 것은 필요 없어요.',
    en: 'The dashboard wants all that happens at home, however many levels deep. It doesn’t want the office, which uses the same broker.',
  },
  question: {
    ask: {
      ko: '토픽 필터(Topic Filter) `home/#`은 `home`이라는 토픽에도 맞을까요?',
      en: 'Does the Topic Filter `home/#` match the topic `home` itself?',
    },
    options: [
      { id: 'yes', text: { ko: '네. 부모 레벨도 들어가요', en: 'Yes, the parent belongs to it' } },
      { id: 'no', text: { ko: '아니요. `/` 뒤에 무언가 있어야 해요', en: 'No, something must follow the `/`' } },
    ],
    right: 'yes',
    why: {
      ko: '`#`은 부모와 그 아래 모든 레벨에 맞아요. 그래서 늘 맨 끝에만 올 수 있어요.',
      en: '`#` matches the parent and every level below it. That is why it can only stand at the very end.',
    },
  },
  goal: {
    ko: '구독 하나로 `home`과 그 아래를 모두 받되 사무실은 받지 마세요. 그리고 태블릿으로 `home/#/temperature`를 구독해 보고 브로커의 대답을 보세요.',
    en: 'With one subscription, get `home` and all below it, but not the office. Then let the tablet try `home/#/temperature` and see what the broker answers.',
  },
  actions: [
    {
      label: { ko: '현황판: 구독하기', en: 'Dashboard: subscribe' },
      commands: [{ do: 'subscribe', who: 'dashboard', filter: 'home/+/+', qos: 0 }],
      edit: ['filter'],
    },
    {
      label: { ko: '현황판: 구독 취소하기', en: 'Dashboard: unsubscribe' },
      commands: [{ do: 'unsubscribe', who: 'dashboard', filter: 'home/+/+' }],
      edit: ['filter'],
    },
    { label: { ko: '모두 한 번씩 발행하기', en: 'Publish everything once' }, commands: ROUND },
    {
      label: { ko: '태블릿: `home/#/temperature` 보내기', en: 'Tablet: send `home/#/temperature`' },
      commands: [{ do: 'raw', who: 'tablet', hex: FORBIDDEN }],
    },
  ],
  scenario: house({
    clients: [device('kitchen'), device('restroom'), device('office'), device('dashboard'), device('tablet')],
    script: [
      [0, { do: 'connect', who: 'kitchen' }],
      [0, { do: 'connect', who: 'restroom' }],
      [0, { do: 'connect', who: 'office' }],
      [0, { do: 'connect', who: 'dashboard' }],
      [0, { do: 'connect', who: 'tablet' }],
    ],
    begin: s(1),
    view: 'map',
  }),
  check: {
    all: [
      { state: { who: 'dashboard', subscribed: 'home/#', subscriptions: 1 } },
      {
        since: {
          last: ROUND_BEGINS,
          check: {
            all: [
              told('dashboard', RESTROOM_HUMIDITY),
              told('dashboard', TEMPERATURE),
              told('dashboard', 'home'),
              { not: told('dashboard', OFFICE) },
            ],
          },
        },
      },
      { delivered: { to: 'tablet', packet: 'DISCONNECT', reason: 0x82 } },
    ],
  },
  hints: [
    {
      ko: '`+`는 레벨 수를 정해 버려요. 몇 레벨이든 받는 와일드카드(wildcard)가 필요해요.',
      en: '`+` fixes the number of levels. You need the wildcard that takes any number.',
    },
    { ko: '`#` 앞에 무엇을 두면 사무실이 빠질까요?', en: 'What must stand before `#` so that the office stays out?' },
    {
      ko: '`home/#`으로 구독하고, 모두 발행한 다음, 태블릿 버튼을 누르세요.',
      en: 'Subscribe to `home/#`, publish everything, then press the tablet’s button.',
    },
  ],
  traps: [
    {
      when: { since: { last: ROUND_BEGINS, check: told('dashboard', OFFICE) } },
      say: {
        ko: '사무실까지 왔어요. `#` 하나만 쓰면 브로커의 거의 모든 메시지가 와요. 그 구독은 취소하세요.',
        en: 'That brought the office too. `#` alone takes nearly everything there is. Unsubscribe from it.',
      },
    },
    {
      when: {
        all: [
          { state: { who: 'dashboard', subscribed: 'home/+/+' } },
          { since: { last: ROUND_BEGINS, check: told('dashboard', TEMPERATURE) } },
        ],
      },
      say: {
        ko: '`home/+/+`는 세 레벨만 받아서 `home`을 놓쳐요.',
        en: '`home/+/+` takes three levels, no more and no less, and so misses `home`.',
      },
    },
    {
      when: { refused: { do: 'subscribe', why: 'topic' } },
      say: {
        ko: '클라이언트가 보내기도 전에 막았어요. 브로커의 대답을 보려면 태블릿 버튼으로 바이트를 그대로 보내세요.',
        en: 'The client refused before anything was sent. To see the broker’s answer, send the bytes as they are with the tablet’s button.',
      },
    },
  ],
  sections: [
    {
      v5: '4.7.1.2',
      v311: '4.7.1.2',
      says: {
        ko: '`#`은 부모와 모든 하위 레벨에 맞고, 필터의 마지막 글자여야 해요.',
        en: '`#` matches the parent and any number of levels below, and must be the filter’s last character.',
      },
    },
    {
      v5: '4.13.1',
      v311: '4.8',
      says: {
        ko: '규칙을 어긴 패킷을 받으면 브로커는 연결을 닫아요. 5.0은 그 전에 이유를 말할 수 있어요.',
        en: 'A packet that breaks the rules ends the connection; 5.0 can say why before.',
      },
    },
  ],
  solution: [
    ['settled', { do: 'subscribe', who: 'dashboard', filter: 'home/#', qos: 0 }],
    ...ROUND.map((command) => ['settled', command] as const),
    ['settled', { do: 'raw', who: 'tablet', hex: FORBIDDEN }],
  ],
  look: {
    at: 'packet',
    text: {
      ko: '태블릿이 받은 DISCONNECT에서 이유 코드를 찾아보세요.',
      en: 'Find the Reason Code in the DISCONNECT that the tablet got.',
    },
  },
  closing: {
    ko: '`home/#`은 맞고 `home/#/temperature`는 틀려요. 가운데를 비우고 싶을 때는 `+`를 써요.',
    en: '`home/#` is right and `home/#/temperature` is wrong. For a gap in the middle there is `+`.',
  },
};
