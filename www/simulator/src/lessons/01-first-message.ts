import { device, house, TEMPERATURE } from './house';
import { type Lesson, told } from './lesson';
import { s } from './stage';

// kitchen → broker  PUBLISH home/kitchen/temperature "21" QoS 0
// broker  → phone   PUBLISH home/kitchen/temperature "21" QoS 0
export const firstMessage: Lesson = {
  id: 'first-message',
  number: 1,
  minutes: 3,
  title: { ko: '첫 메시지', en: 'First message' },
  story: {
    ko: '주방에 온도 센서가 있고, 휴대폰은 주방 온도가 궁금해요. 둘은 직접 이야기하지 않아요. 가운데 있는 브로커(broker)하고만 이야기해요. 휴대폰은 `home/kitchen/temperature` 토픽(topic)을 이미 구독(subscribe)해 두었어요.',
    en: 'There is a temperature sensor in the kitchen, and the phone would like to know how warm it is. They never talk to each other: both talk to the broker in the middle. The phone has already subscribed to the topic `home/kitchen/temperature`.',
  },
  question: {
    ask: {
      ko: '센서가 `21`을 발행(publish)하면 메시지는 어떤 길로 휴대폰에 갈까요?',
      en: 'The sensor publishes `21`. Which way does the message take to the phone?',
    },
    options: [
      { id: 'direct', text: { ko: '센서에서 휴대폰으로 곧바로', en: 'Straight from the sensor to the phone' } },
      {
        id: 'fetch',
        text: {
          ko: '브로커에 쌓여 있다가 휴대폰이 가지러 올 때',
          en: 'It waits at the broker until the phone fetches it',
        },
      },
      {
        id: 'broker',
        text: {
          ko: '센서에서 브로커로, 브로커에서 휴대폰으로',
          en: 'From the sensor to the broker, from there to the phone',
        },
      },
    ],
    right: 'broker',
    why: {
      ko: '모든 메시지는 브로커를 거쳐요. 센서는 휴대폰의 주소를 모르고, 휴대폰은 가지러 가지 않아도 받아요.',
      en: 'Every message passes the broker. The sensor doesn’t know where the phone is, and the phone gets it without asking.',
    },
  },
  goal: {
    ko: '휴대폰이 `home/kitchen/temperature` 토픽에서 `21`을 받게 하세요.',
    en: 'Make the phone receive `21` on `home/kitchen/temperature`.',
  },
  actions: [
    {
      label: { ko: '21 발행하기', en: 'Publish 21' },
      commands: [{ do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21' }],
    },
  ],
  scenario: house({
    clients: [device('kitchen'), device('phone')],
    script: [
      [0, { do: 'connect', who: 'kitchen' }],
      [0, { do: 'connect', who: 'phone' }],
      [s(1), { do: 'subscribe', who: 'phone', filter: TEMPERATURE, qos: 0 }],
    ],
    begin: s(2),
    view: 'map',
  }),
  check: told('phone', TEMPERATURE, { payload: '21' }),
  hints: [
    {
      ko: '온도를 아는 쪽은 주방 센서예요. 센서가 먼저 말해야 해요.',
      en: 'The kitchen sensor is the one that knows the temperature. It has to speak first.',
    },
    { ko: '‘21 발행하기’ 버튼을 찾아보세요.', en: 'Look for the button “Publish 21”.' },
    {
      ko: '‘21 발행하기’를 누르고, 시간이 멈춰 있으면 재생을 누르세요.',
      en: 'Press “Publish 21”, and then play if time stands still.',
    },
  ],
  traps: [
    {
      when: { decision: { is: 'not_delivered', who: 'phone', why: 'no_match' } },
      say: {
        ko: '메시지는 브로커까지 왔지만 토픽이 휴대폰의 구독과 달라요. 한 글자까지 같아야 해요.',
        en: 'The message reached the broker, but its topic differs from what the phone subscribed to. Every letter counts.',
      },
    },
  ],
  sections: [
    {
      v5: '3.3',
      v311: '3.3',
      says: {
        ko: 'PUBLISH 패킷은 메시지를 클라이언트에서 브로커로, 또는 브로커에서 클라이언트로 나르는 패킷이에요.',
        en: 'A PUBLISH packet carries a message from a client to the broker or from the broker to a client.',
      },
    },
  ],
  solution: [['settled', { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21' }]],
  look: {
    at: 'ladder',
    text: {
      ko: '사다리 그림에서 화살표 두 개를 찾아보세요. 둘 다 PUBLISH예요.',
      en: 'Find the two arrows on the ladder. Both are PUBLISH.',
    },
  },
  closing: {
    ko: '‘토픽을 발행한다’는 말을 자주 듣지만, 발행하는 것은 메시지예요. 토픽은 메시지를 어디에 발행하는지 알려 주는 이름이에요.',
    en: 'People say “publish a topic”. What is published is a message; the topic is the name that it is published to.',
  },
};
