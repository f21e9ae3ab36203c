import { device, house, TEMPERATURE } from './house';
import { type Lesson, told } from './lesson';
import { s } from './stage';

const CAPITAL = 'home/Kitchen/temperature';
const SLASH = '/home/kitchen/temperature';

// script   kitchen → broker PUBLISH home/kitchen/temperature "21"; broker → phone PUBLISH; dashboard and server nothing
// learner  dashboard, server → broker SUBSCRIBE home/kitchen/temperature, SUBACK 0 each
//          kitchen → broker PUBLISH "22"; broker → phone, dashboard, server PUBLISH
export const topicsArePaths: Lesson = {
  id: 'topics-are-paths',
  number: 3,
  minutes: 4,
  title: { ko: '토픽은 경로', en: 'Topics are paths' },
  story: {
    ko: '휴대폰, 현황판, 기록 서버가 모두 주방 온도를 구독(subscribe)했어요. 그런데 센서가 `21`을 발행하자 휴대폰만 받았어요. 오류는 어디에도 없었고요.',
    en: 'Phone, dashboard and logging server have all subscribed to the kitchen’s temperature. Yet when the sensor publishes `21`, only the phone gets it. There is no error anywhere.',
  },
  question: {
    ask: {
      ko: '토픽 이름(Topic Name)은 `/`로 레벨(level)을 나눠요. `/home/kitchen/temperature`는 몇 레벨일까요?',
      en: 'A Topic Name is cut into levels by `/`. How many levels has `/home/kitchen/temperature`?',
    },
    options: [
      { id: 'three', text: { ko: '3레벨. 맨 앞의 `/`는 무시돼요', en: 'Three: a leading `/` is ignored' } },
      { id: 'four', text: { ko: '4레벨. 첫 레벨은 비어 있어요', en: 'Four: the first one is empty' } },
      { id: 'none', text: { ko: '`/`로 시작하는 이름은 쓸 수 없어요', en: 'A name can’t begin with `/`' } },
    ],
    right: 'four',
    why: {
      ko: '빈 레벨도 레벨이에요. 그래서 `home/kitchen/temperature`와는 다른 토픽이에요. 대문자와 소문자도 서로 달라요.',
      en: 'An empty level is a level too, so this is another topic than `home/kitchen/temperature`. Capitals and small letters differ as well.',
    },
  },
  goal: {
    ko: '메시지를 놓친 두 클라이언트를 찾아 필터만 고치세요. 그런 다음 `22`를 발행해서 셋 다 받게 하세요.',
    en: 'Find the two clients that missed the message and mend their filters only. Then publish `22` so that all three get it.',
  },
  actions: [
    {
      label: { ko: '현황판: 구독하기', en: 'Dashboard: subscribe' },
      commands: [{ do: 'subscribe', who: 'dashboard', filter: CAPITAL, qos: 0 }],
      edit: ['filter'],
    },
    {
      label: { ko: '기록 서버: 구독하기', en: 'Logging server: subscribe' },
      commands: [{ do: 'subscribe', who: 'server', filter: SLASH, qos: 0 }],
      edit: ['filter'],
    },
    {
      label: { ko: '22 발행하기', en: 'Publish 22' },
      commands: [{ do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '22' }],
    },
  ],
  scenario: house({
    clients: [device('kitchen'), device('phone'), device('dashboard'), device('server')],
    script: [
      [0, { do: 'connect', who: 'kitchen' }],
      [0, { do: 'connect', who: 'phone' }],
      [0, { do: 'connect', who: 'dashboard' }],
      [0, { do: 'connect', who: 'server' }],
      [s(1), { do: 'subscribe', who: 'phone', filter: TEMPERATURE, qos: 0 }],
      [s(1), { do: 'subscribe', who: 'dashboard', filter: CAPITAL, qos: 0 }],
      [s(1), { do: 'subscribe', who: 'server', filter: SLASH, qos: 0 }],
      [s(3), { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21' }],
    ],
    begin: s(2),
    view: 'map',
  }),
  check: {
    all: [
      { state: { who: 'dashboard', subscribed: TEMPERATURE } },
      { state: { who: 'server', subscribed: TEMPERATURE } },
      told('phone', TEMPERATURE, { payload: '22' }),
      told('dashboard', TEMPERATURE, { payload: '22' }),
      told('server', TEMPERATURE, { payload: '22' }),
    ],
  },
  hints: [
    {
      ko: '메시지 `21`의 ‘왜’를 보세요. 몇 번째 레벨에서 어긋났는지 나와요.',
      en: 'Look at Why of the message `21`: it names the level where each filter stops matching.',
    },
    {
      ko: '하나는 대문자가 하나 섞였고, 하나는 맨 앞에 글자 하나가 더 있어요.',
      en: 'One filter has a capital letter too many, the other a character too many at its beginning.',
    },
    {
      ko: '현황판과 기록 서버 모두 `home/kitchen/temperature`로 구독하고 ‘22 발행하기’를 누르세요.',
      en: 'Subscribe both dashboard and logging server to `home/kitchen/temperature`, then press “Publish 22”.',
    },
  ],
  traps: [
    {
      when: {
        any: [
          { command: { do: 'publish', by: 'user', topic: CAPITAL } },
          { command: { do: 'publish', by: 'user', topic: SLASH } },
        ],
      },
      say: {
        ko: '메시지를 잘못된 필터에 맞추면 이번에는 휴대폰이 놓쳐요. 토픽은 그대로 두고 필터를 고쳐요.',
        en: 'If you bend the message to a wrong filter, the phone misses it instead. Leave the topic alone and mend the filters.',
      },
    },
    {
      when: {
        any: [
          { state: { who: 'dashboard', subscribed: '#' } },
          { state: { who: 'server', subscribed: '#' } },
          { state: { who: 'dashboard', subscribed: 'home/#' } },
          { state: { who: 'server', subscribed: 'home/#' } },
        ],
      },
      say: {
        ko: '와일드카드로도 받을 수는 있지만 다른 것까지 다 와요. 여기서는 글자를 정확히 맞춰 보세요.',
        en: 'A wildcard would catch it, and much else besides. Here, get the letters right.',
      },
    },
  ],
  sections: [
    {
      v5: '4.7.3',
      v311: '4.7.3',
      says: {
        ko: '토픽 이름과 필터는 대소문자를 가리고, 앞뒤에 `/`가 붙으면 다른 토픽이 돼요.',
        en: 'Topic Names and filters are case sensitive, and a leading or trailing `/` makes another topic.',
      },
    },
  ],
  solution: [
    ['settled', { do: 'subscribe', who: 'dashboard', filter: TEMPERATURE, qos: 0 }],
    ['settled', { do: 'subscribe', who: 'server', filter: TEMPERATURE, qos: 0 }],
    ['settled', { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '22' }],
  ],
  look: {
    at: 'topics',
    text: {
      ko: '토픽 나무에서 빈 이름으로 시작하는 가지를 찾아보세요.',
      en: 'Find the branch with the empty name in the tree of topics.',
    },
  },
  closing: {
    ko: '틀린 토픽은 오류가 아니라 그냥 다른 토픽이에요. 그래서 조용히 놓쳐요. 이름을 짓는 규칙을 정하고 소문자만 쓰고, `/`로 시작하지 마세요.',
    en: 'A wrong topic is no error, it is another topic, and so messages are missed in silence. Agree on names: small letters only, no leading `/`.',
  },
};
