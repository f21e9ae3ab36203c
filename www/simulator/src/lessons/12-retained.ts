import { device, house, TEMPERATURE } from './house';
import { type Lesson, told } from './lesson';
import { type Command, s } from './stage';

const CLEAR: Command = { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '', retain: true };
const subscribe = (who: string): Command => ({ do: 'subscribe', who, filter: TEMPERATURE, qos: 0 });

// kitchen → broker  PUBLISH "21" RETAIN 1;   broker → dashboard  PUBLISH "21" RETAIN 0
// phone → broker    SUBSCRIBE;               broker → phone      SUBACK 0, PUBLISH "21" RETAIN 1
// kitchen → broker  PUBLISH "" RETAIN 1;     broker → dashboard, phone  PUBLISH "" RETAIN 0
// tablet → broker   SUBSCRIBE;               broker → tablet     SUBACK 0 and nothing else
export const retained: Lesson = {
  id: 'retained',
  number: 12,
  minutes: 5,
  title: { ko: '보존 메시지', en: 'Retained Messages' },
  story: {
    ko: '센서는 온도가 바뀔 때만 발행(publish)해요. 방금 켠 휴대폰은 다음 변화가 있을 때까지 온도를 몰라요. 현황판은 처음부터 구독하고 있었고요.',
    en: 'The sensor publishes only when the temperature changes. A phone just switched on knows nothing until the next change. The dashboard has been subscribed all along.',
  },
  question: {
    ask: {
      ko: '센서가 `RETAIN 1`로 발행했어요. 이미 구독하고 있던 현황판이 받는 PUBLISH의 RETAIN은 얼마일까요?',
      en: 'The sensor publishes with `RETAIN 1`. What is RETAIN in the PUBLISH that the dashboard, already subscribed, receives?',
    },
    options: [
      { id: 'one', text: { ko: '1. 보낸 그대로예요', en: '1, as it was sent' } },
      { id: 'zero', text: { ko: '0. 방금 나온 소식이니까요', en: '0, because it is news' } },
    ],
    right: 'zero',
    why: {
      ko: '받는 쪽에서 RETAIN 1은 ‘새 구독에게 주는, 전부터 있던 메시지’라는 뜻이에요. 방금 발행된 것은 0이에요.',
      en: 'To a receiver RETAIN 1 means “this was here before you subscribed”. What was just published comes with 0.',
    },
  },
  goal: {
    ko: '센서가 `21`을 보존 메시지(Retained Message)로 발행하고, 나중에 구독한 휴대폰이 `RETAIN 1`로 받게 하세요. 그다음 보존된 것을 지워서, 마지막에 구독하는 태블릿은 아무것도 받지 않게 하세요.',
    en: 'Publish `21` as a Retained Message and let the phone, subscribing later, receive it with `RETAIN 1`. Then clear it, so that the tablet, subscribing last, receives nothing.',
  },
  actions: [
    {
      label: { ko: '21 발행하기', en: 'Publish 21' },
      commands: [{ do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21', retain: false }],
      edit: ['payload', 'retain'],
    },
    { label: { ko: '휴대폰: 구독하기', en: 'Phone: subscribe' }, commands: [subscribe('phone')] },
    { label: { ko: '태블릿: 구독하기', en: 'Tablet: subscribe' }, commands: [subscribe('tablet')] },
  ],
  scenario: house({
    clients: [device('kitchen'), device('dashboard'), device('phone'), device('tablet')],
    script: [
      [0, { do: 'connect', who: 'kitchen' }],
      [0, { do: 'connect', who: 'dashboard' }],
      [0, { do: 'connect', who: 'phone' }],
      [0, { do: 'connect', who: 'tablet' }],
      [s(1), subscribe('dashboard')],
    ],
    begin: s(2),
    view: 'map',
  }),
  check: {
    all: [
      {
        before: [
          told('dashboard', TEMPERATURE, { payload: '21', retain: false }),
          told('phone', TEMPERATURE, { payload: '21', retain: true }),
          { command: { do: 'publish', who: 'kitchen', by: 'user', topic: TEMPERATURE, payload: '', retain: true } },
          { delivered: { to: 'tablet', packet: 'SUBACK' } },
        ],
      },
      {
        quiet: {
          of: { told: { who: 'tablet' } },
          after: { delivered: { to: 'tablet', packet: 'SUBACK' } },
          ms: 2000,
        },
      },
    ],
  },
  hints: [
    {
      ko: '발행할 때 켜야 하는 칸이 하나 있어요. 순서도 중요해요. 발행이 먼저, 휴대폰의 구독이 나중이에요.',
      en: 'There is one box to tick when publishing. And the order matters: publish first, subscribe the phone after.',
    },
    {
      ko: '지우는 것도 발행이에요. 같은 토픽에, 내용이 없는 보존 메시지를 보내요.',
      en: 'Clearing is publishing too: a retained message without any content, to the same topic.',
    },
    {
      ko: '`21`을 RETAIN 켜고 발행, 휴대폰 구독, 내용을 비우고 RETAIN 켠 채 발행, 태블릿 구독.',
      en: 'Publish `21` with RETAIN on, subscribe the phone, publish an empty payload with RETAIN on, subscribe the tablet.',
    },
  ],
  traps: [
    {
      when: told('phone', TEMPERATURE, { payload: '21', retain: false }),
      say: {
        ko: '휴대폰이 먼저 구독해서 방금 나온 소식으로 받았어요. 되감아서 발행을 먼저 하세요.',
        en: 'The phone subscribed first and got it as news. Rewind and publish before it subscribes.',
      },
    },
    {
      when: { command: { do: 'publish', who: 'kitchen', by: 'user', payload: '', retain: false } },
      say: {
        ko: '내용은 비었지만 RETAIN이 0이라, 보존된 것은 그대로 남아 있어요.',
        en: 'The payload is empty, but with RETAIN 0 what was retained stays.',
      },
    },
    {
      when: told('tablet', TEMPERATURE, { retain: true }),
      say: {
        ko: '보존 메시지가 아직 남아 있었어요. 태블릿이 구독하기 전에 지워야 해요. 되감아 보세요.',
        en: 'The Retained Message was still there. Clear it before the tablet subscribes: rewind.',
      },
    },
    {
      when: {
        all: [
          { command: { do: 'publish', who: 'kitchen', by: 'user', payload: '21', retain: false } },
          {
            quiet: {
              of: { told: { who: 'phone' } },
              after: { delivered: { to: 'phone', packet: 'SUBACK' } },
              ms: 2000,
            },
          },
        ],
      },
      say: {
        ko: 'RETAIN 0으로 발행해서 브로커가 간직하지 않았어요. 되감아서 RETAIN을 켜고 발행하세요.',
        en: 'Published with RETAIN 0, so the broker kept nothing. Rewind and tick RETAIN.',
      },
    },
  ],
  sections: [
    {
      v5: '3.3.1.3',
      v311: '3.3.1.3',
      says: {
        ko: '브로커는 RETAIN 1인 메시지를 토픽마다 하나 간직했다가 새 구독에 RETAIN 1로 보내요. 내용이 빈 것은 지우라는 뜻이에요.',
        en: 'The broker keeps one message with RETAIN 1 for each topic and sends it to new Subscriptions with RETAIN 1. An empty one removes it.',
      },
    },
  ],
  solution: [
    ['settled', { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21', retain: true }],
    ['settled', subscribe('phone')],
    ['settled', CLEAR],
    ['settled', subscribe('tablet')],
  ],
  look: {
    at: 'topics',
    text: {
      ko: '토픽 나무에서 보존된 값이 생겼다가 사라지는 것을 보세요.',
      en: 'Watch the retained value appear in the tree of topics, and vanish.',
    },
  },
  closing: {
    ko: '보존 메시지는 쌓이는 기록이 아니라 토픽마다 하나뿐인 마지막 값이에요. 세션과도 상관이 없고, 센서가 떠나도 남아요.',
    en: 'It is no history, only the last value, one for each topic. It belongs to no Session, and stays when the sensor leaves.',
  },
};
