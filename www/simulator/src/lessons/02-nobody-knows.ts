import { device, HUMIDITY, house, TEMPERATURE } from './house';
import { type Lesson, told } from './lesson';
import { s } from './stage';

// dashboard → broker  SUBSCRIBE home/kitchen/temperature,  broker → dashboard  SUBACK 0
// kitchen → broker    PUBLISH home/kitchen/temperature "21"
// broker → phone      PUBLISH,  broker → dashboard  PUBLISH
// kitchen → broker    PUBLISH home/kitchen/humidity "40", and nothing to anybody
export const nobodyKnows: Lesson = {
  id: 'nobody-knows',
  number: 2,
  minutes: 4,
  title: { ko: '서로 모르는 사이', en: 'Nobody knows anybody' },
  story: {
    ko: '휴대폰은 주방 온도를 구독(subscribe)했고, 현황판은 아직 아무것도 구독하지 않았어요. 센서는 누가 듣는지 몰라요. 몇이 듣는지도 모르고요.',
    en: 'The phone has subscribed to the kitchen’s temperature; the dashboard has not subscribed to anything yet. The sensor doesn’t know who listens, nor how many do.',
  },
  question: {
    ask: {
      ko: '아무도 구독하지 않은 토픽(topic)에 QoS 0으로 발행(publish)하면, 센서에는 무엇이 돌아올까요?',
      en: 'The sensor publishes with QoS 0 to a topic that nobody subscribed to. What comes back to it?',
    },
    options: [
      { id: 'error', text: { ko: '받을 사람이 없다는 오류', en: 'An error: nobody is there' } },
      {
        id: 'later',
        text: { ko: '나중에 누가 구독하면 그때 전했다는 알림', en: 'A notice later, when somebody subscribes' },
      },
      {
        id: 'nothing',
        text: { ko: '아무것도 없음. 둘이 받을 때와 똑같음', en: 'Nothing, just as when two clients receive it' },
      },
    ],
    right: 'nothing',
    why: {
      ko: 'QoS 0에는 응답이 없어요. 구독자가 몇이든 센서가 보내는 패킷도, 센서가 보는 것도 같아요. (MQTT 5.0에서 QoS 1이나 2로 보내면 브로커가 이유 코드 `0x10`으로 구독자가 없다고 알려 줄 수 있어요.)',
      en: 'QoS 0 has no answer. However many subscribe, the sensor sends the same packet and sees the same. (In MQTT 5.0, with QoS 1 or 2, the broker may say with Reason Code `0x10` that nobody subscribes.)',
    },
  },
  goal: {
    ko: '한 번의 발행으로 휴대폰과 현황판이 모두 온도를 받게 하세요. 그다음 아무도 구독하지 않은 `home/kitchen/humidity`에 발행하고, 센서 쪽에서 무엇이 달라지는지 보세요.',
    en: 'Let one publish bring the temperature to both phone and dashboard. Then publish to `home/kitchen/humidity`, to which nobody subscribed, and look for a difference at the sensor.',
  },
  actions: [
    {
      label: { ko: '현황판: 구독하기', en: 'Dashboard: subscribe' },
      commands: [{ do: 'subscribe', who: 'dashboard', filter: TEMPERATURE, qos: 0 }],
      edit: ['filter'],
    },
    {
      label: { ko: '온도 21 발행하기', en: 'Publish temperature 21' },
      commands: [{ do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21' }],
    },
    {
      label: { ko: '습도 40 발행하기', en: 'Publish humidity 40' },
      commands: [{ do: 'publish', who: 'kitchen', topic: HUMIDITY, payload: '40' }],
    },
  ],
  scenario: house({
    clients: [device('kitchen'), device('phone'), device('dashboard')],
    script: [
      [0, { do: 'connect', who: 'kitchen' }],
      [0, { do: 'connect', who: 'phone' }],
      [0, { do: 'connect', who: 'dashboard' }],
      [s(1), { do: 'subscribe', who: 'phone', filter: TEMPERATURE, qos: 0 }],
    ],
    begin: s(2),
    view: 'map',
  }),
  check: {
    all: [
      {
        since: {
          last: { command: { do: 'subscribe', who: 'dashboard', by: 'user' } },
          check: { all: [told('phone', TEMPERATURE), told('dashboard', TEMPERATURE)] },
        },
      },
      {
        quiet: {
          of: { told: { topic: HUMIDITY } },
          after: { delivered: { from: 'kitchen', packet: 'PUBLISH', topic: HUMIDITY } },
          ms: 1000,
        },
      },
    ],
  },
  hints: [
    {
      ko: '메시지를 받으려면 무엇을 먼저 해야 할까요? 현황판은 그걸 아직 안 했어요.',
      en: 'What must a client do before it can receive? The dashboard hasn’t done it yet.',
    },
    {
      ko: '현황판이 `home/kitchen/temperature`를 구독한 다음에 온도를 발행하세요.',
      en: 'Subscribe the dashboard to `home/kitchen/temperature`, and publish the temperature after that.',
    },
    {
      ko: '‘현황판: 구독하기’, ‘온도 21 발행하기’, ‘습도 40 발행하기’를 차례로 누르세요.',
      en: 'Press “Dashboard: subscribe”, “Publish temperature 21” and “Publish humidity 40”, one after another.',
    },
  ],
  traps: [
    {
      when: {
        all: [
          {
            before: [
              { command: { do: 'publish', by: 'user', topic: TEMPERATURE } },
              { delivered: { to: 'dashboard', packet: 'SUBACK' } },
            ],
          },
          {
            quiet: {
              of: { told: { who: 'dashboard' } },
              after: { delivered: { to: 'dashboard', packet: 'SUBACK' } },
              ms: 3000,
            },
          },
        ],
      },
      say: {
        ko: '구독하기 전에 지나간 메시지는 오지 않아요. 구독한 뒤에 온도를 한 번 더 발행해 보세요.',
        en: 'What was published before the subscription has passed. Publish the temperature once more.',
      },
    },
    {
      when: told('dashboard', HUMIDITY),
      say: {
        ko: '현황판이 습도까지 구독해서, 아무도 구독하지 않은 토픽이 아니게 됐어요. 되감고 필터를 좁혀 보세요.',
        en: 'The dashboard subscribed to the humidity too, so it isn’t a topic without subscribers. Rewind and take a narrower filter.',
      },
    },
  ],
  sections: [
    {
      v5: '3.3.4',
      v311: '3.3.5',
      says: {
        ko: '클라이언트가 보낸 PUBLISH는 브로커가 맞는 구독을 가진 클라이언트들에게 나누어 줘요.',
        en: 'A client sends PUBLISH to the broker, which distributes the message to clients with matching subscriptions.',
      },
    },
    {
      v5: '4.3.1',
      v311: '4.3.1',
      says: { ko: 'QoS 0에서는 받는 쪽이 응답하지 않아요.', en: 'With QoS 0 the receiver sends no response.' },
    },
  ],
  solution: [
    ['settled', { do: 'subscribe', who: 'dashboard', filter: TEMPERATURE, qos: 0 }],
    ['settled', { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21' }],
    ['settled', { do: 'publish', who: 'kitchen', topic: HUMIDITY, payload: '40' }],
  ],
  look: {
    at: 'why',
    text: {
      ko: '습도 메시지의 ‘왜’를 열어 보세요. 클라이언트마다 받지 못한 이유가 적혀 있어요.',
      en: 'Open Why for the humidity message: it says for each client why it didn’t get it.',
    },
  },
  closing: {
    ko: '보내는 쪽과 받는 쪽은 서로 몰라도 돼요. 토픽 이름만 함께 알면 돼요. 그래서 센서를 고치지 않고도 현황판을 하나 더 달 수 있어요.',
    en: 'Publisher and subscriber need not know each other, only the name of the topic. That is why one can add a dashboard without touching the sensor.',
  },
};
