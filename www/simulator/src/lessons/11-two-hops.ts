import { device, house, KEEPS_SESSION, TEMPERATURE } from './house';
import { type Lesson, told } from './lesson';
import { s } from './stage';

// kitchen → broker  PUBLISH "21" QoS 2 id 1;  PUBREC id 1;  PUBREL id 1;  PUBCOMP id 1: done, the phone sleeps
// phone → broker    CONNECT Clean Start 0;    broker → phone CONNACK Session Present 1, PUBLISH "21" QoS 1 id 1
// phone → broker    PUBACK id 1
export const twoHops: Lesson = {
  id: 'two-hops',
  number: 11,
  minutes: 4,
  title: { ko: '두 구간', en: 'Two hops' },
  story: {
    ko: '휴대폰은 주방 온도를 QoS 1로 구독(subscribe)해 두고 잠들었어요. 브로커는 휴대폰의 세션(Session)을 기억하고 있어요. 센서는 깨어 있고요.',
    en: 'The phone subscribed to the kitchen’s temperature with QoS 1 and went to sleep. The broker remembers its Session. The sensor is awake.',
  },
  question: {
    ask: {
      ko: '센서가 QoS 2로 발행(publish)하고 휴대폰은 QoS 1로 구독했어요. 휴대폰에는 어떤 QoS로 올까요?',
      en: 'The sensor publishes with QoS 2, the phone subscribed with QoS 1. With which QoS does the phone get the message?',
    },
    options: [
      { id: 'one', text: { ko: 'QoS 1. 둘 중 낮은 쪽이에요', en: 'QoS 1: the lower of the two' } },
      { id: 'two', text: { ko: 'QoS 2. 메시지가 QoS 2니까요', en: 'QoS 2: that is the message’s' } },
      {
        id: 'connection',
        text: { ko: '휴대폰의 연결에 정해 둔 QoS', en: 'The QoS that was set for the phone’s connection' },
      },
    ],
    right: 'one',
    why: {
      ko: 'QoS는 연결이 아니라 메시지와 구독에 딸려 있어요. 브로커는 둘 중 낮은 쪽으로 보내요.',
      en: 'QoS belongs to a message and to a Subscription, not to a connection. The broker sends with the lower of the two.',
    },
  },
  goal: {
    ko: '휴대폰이 자는 동안 센서가 QoS 2로 발행해서 PUBCOMP까지 받게 하세요. 그런 다음 휴대폰을 깨워 QoS 1로 받게 하세요.',
    en: 'While the phone sleeps, let the sensor publish with QoS 2 and get its PUBCOMP. Then wake the phone, so that it receives with QoS 1.',
  },
  actions: [
    {
      label: { ko: '21 발행하기', en: 'Publish 21' },
      commands: [{ do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21', qos: 0 }],
      edit: ['qos'],
    },
    { label: { ko: '휴대폰 연결하기', en: 'Connect the phone' }, commands: [{ do: 'connect', who: 'phone' }] },
  ],
  scenario: house({
    clients: [device('kitchen'), device('phone', KEEPS_SESSION)],
    script: [
      [0, { do: 'connect', who: 'kitchen' }],
      [0, { do: 'connect', who: 'phone' }],
      [s(1), { do: 'subscribe', who: 'phone', filter: TEMPERATURE, qos: 1 }],
      [s(2), { do: 'disconnect', who: 'phone' }],
    ],
    begin: s(3),
    view: 'ladder',
  }),
  check: {
    before: [
      { command: { do: 'publish', who: 'kitchen', by: 'user', topic: TEMPERATURE, qos: 2 } },
      { delivered: { to: 'kitchen', packet: 'PUBCOMP' } },
      { command: { do: 'connect', who: 'phone', by: 'user' } },
      told('phone', TEMPERATURE, { qos: 1 }),
    ],
  },
  hints: [
    { ko: '센서의 QoS는 발행할 때마다 고를 수 있어요.', en: 'The sensor’s QoS is chosen with every publish.' },
    {
      ko: 'QoS 2로 발행하고, 센서가 PUBCOMP를 받을 때까지 휴대폰은 깨우지 마세요.',
      en: 'Publish with QoS 2, and don’t wake the phone until the sensor has its PUBCOMP.',
    },
    {
      ko: '‘21 발행하기’의 QoS를 2로 바꿔 발행하고, 잠시 재생한 뒤 ‘휴대폰 연결하기’를 누르세요.',
      en: 'Set the QoS of “Publish 21” to 2 and publish, play for a moment, then press “Connect the phone”.',
    },
  ],
  traps: [
    {
      when: { decision: { is: 'not_delivered', who: 'phone', why: 'offline' } },
      say: {
        ko: 'QoS 0 메시지는 자리에 없는 휴대폰을 기다려 주지 않아요. QoS를 올려 발행하세요.',
        en: 'A QoS 0 message doesn’t wait for a phone that is away. Publish with a higher QoS.',
      },
    },
    {
      when: {
        before: [
          { command: { do: 'connect', who: 'phone', by: 'user' } },
          { command: { do: 'publish', who: 'kitchen', by: 'user', qos: 2 } },
        ],
      },
      say: {
        ko: '휴대폰이 먼저 깼어요. 그러면 두 구간이 겹쳐 보여요. 되감아서 발행부터 하세요.',
        en: 'The phone woke first, so the two hops overlap. Rewind and publish before that.',
      },
    },
    {
      when: { command: { do: 'publish', who: 'kitchen', by: 'user', qos: 1 } },
      say: { ko: 'QoS 1이면 PUBCOMP가 없어요. QoS 2로 발행하세요.', en: 'QoS 1 has no PUBCOMP. Publish with QoS 2.' },
    },
  ],
  sections: [
    {
      v5: '3.8.4',
      v311: '3.8.4',
      says: {
        ko: '구독자에게 보내는 QoS는 발행된 QoS와 구독에 허락된 QoS 중 낮은 쪽이에요.',
        en: 'A subscriber is sent the lower of the published QoS and the QoS granted to its Subscription.',
      },
    },
    {
      v5: '4.3',
      v311: '4.3',
      says: {
        ko: '전달 규칙은 보내는 하나와 받는 하나 사이의 일이에요. 브로커가 여럿에게 전할 때는 클라이언트마다 따로예요.',
        en: 'The delivery protocol is between one sender and one receiver; the broker treats each client independently.',
      },
    },
  ],
  solution: [
    ['settled', { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21', qos: 2 }],
    ['settled', { do: 'connect', who: 'phone' }],
  ],
  look: {
    at: 'ladder',
    text: {
      ko: '센서 쪽 묶음(PUBLISH부터 PUBCOMP까지)이 휴대폰 쪽이 시작되기도 전에 끝났어요.',
      en: 'The sensor’s bracket, PUBLISH to PUBCOMP, ends before the phone’s begins.',
    },
  },
  closing: {
    ko: '센서가 받은 PUBCOMP는 ‘브로커가 맡았다’는 뜻이에요. 휴대폰이 받았다는 뜻은 아니에요.',
    en: 'The sensor’s PUBCOMP means “the broker has it”. It doesn’t mean that the phone has it.',
  },
};
