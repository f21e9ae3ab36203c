import { device, house, KEEPS_SESSION, TEMPERATURE } from './house';
import { exactly, type Lesson, told } from './lesson';
import { type Command, s } from './stage';

const readings = ['21', '22', '23', '24', '25'].map(
  (payload, index) => [s(4 + 3 * index), { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload }] as const,
);
const CUT: Command = { do: 'cut_when', who: 'phone', packet: 'PUBLISH', toward: 'client', nth: 1, at: 'half_way' };

// kitchen → broker  PUBLISH "21" QoS 0;  broker → phone PUBLISH "21", lost half-way: the link is cut, both ends learn
// a second later    phone → broker CONNECT, broker → phone CONNACK Session Present 1, and nothing of "21"
// kitchen → broker  PUBLISH "22" … "25";  broker → phone the same four
export const qos0: Lesson = {
  id: 'qos-0',
  number: 7,
  minutes: 4,
  title: { ko: 'QoS 0: 보내고 잊기', en: 'QoS 0: send and forget' },
  story: {
    ko: '센서가 3초마다 온도를 서비스 품질(QoS) 0으로 발행해요. 21부터 25까지 다섯 번이요. 휴대폰은 연결이 끊기면 1초 뒤에 스스로 돌아와요.',
    en: 'Every three seconds the sensor publishes a temperature with QoS 0, from 21 to 25. The phone comes back by itself a second after its connection breaks.',
  },
  question: {
    ask: {
      ko: '온도 하나가 휴대폰으로 가는 도중에 연결이 끊겼어요. 휴대폰이 돌아오면 브로커는 그 메시지를 다시 보낼까요?',
      en: 'The link breaks while one reading is on its way to the phone. When the phone is back, does the broker send it again?',
    },
    options: [
      { id: 'gone', text: { ko: '아니요. 보내자마자 잊었어요', en: 'No, it forgot the message when it was sent' } },
      { id: 'again', text: { ko: '네. 돌아오면 다시 보내요', en: 'Yes, as soon as it is back' } },
      {
        id: 'kitchen',
        text: { ko: '브로커는 안 보내고, 센서가 다시 보내요', en: 'No, but the sensor sends it again' },
      },
    ],
    right: 'gone',
    why: {
      ko: 'QoS 0에는 확인 응답이 없어요. 브로커는 메시지가 도착했는지 모르고, 따로 보관하지도 않아요.',
      en: 'QoS 0 has no acknowledgement. The broker can’t know whether the message arrived, and keeps nothing of it.',
    },
  },
  goal: {
    ko: '휴대폰이 다섯 중 딱 하나만 잃게 하세요. 메시지가 휴대폰으로 가는 도중에 연결을 끊으면 돼요.',
    en: 'Make the phone lose exactly one of the five: cut its link while a message is on its way to it.',
  },
  actions: [
    { label: { ko: '다음 PUBLISH가 가는 도중에 끊기', en: 'Cut when the next PUBLISH is half-way' }, commands: [CUT] },
    { label: { ko: '지금 휴대폰 연결 끊기', en: 'Cut the phone’s link now' }, commands: [{ do: 'cut', who: 'phone' }] },
  ],
  scenario: house({
    clients: [
      device('kitchen'),
      device('phone', { ...KEEPS_SESSION, reconnect_s: 1, link: { latency_ms: 500, jitter_ms: 0, bytes_per_s: 0 } }),
    ],
    script: [
      [0, { do: 'connect', who: 'kitchen' }],
      [0, { do: 'connect', who: 'phone' }],
      [s(1.5), { do: 'subscribe', who: 'phone', filter: TEMPERATURE, qos: 0 }],
      ...readings,
    ],
    begin: s(3),
    view: 'ladder',
  }),
  check: {
    all: [
      { count: { of: { delivered: { from: 'kitchen', packet: 'PUBLISH' } }, min: 5 } },
      exactly(1, { lost: { to: 'phone', packet: 'PUBLISH' } }),
      exactly(4, told('phone', TEMPERATURE)),
    ],
  },
  hints: [
    {
      ko: '메시지는 선 위에 있을 때만 잃을 수 있어요. 브로커와 휴대폰 사이를 보세요.',
      en: 'A message can only get lost while it is on the wire. Watch the stretch from broker to phone.',
    },
    {
      ko: '재생을 누르고, 화살표가 휴대폰으로 날아가는 동안 끊어 보세요. 한 번만요.',
      en: 'Play, and cut while an arrow flies to the phone. Once only.',
    },
    {
      ko: '‘다음 PUBLISH가 가는 도중에 끊기’를 한 번 누르고 끝까지 재생하세요.',
      en: 'Press “Cut when the next PUBLISH is half-way” once, and play to the end.',
    },
  ],
  traps: [
    {
      when: { count: { of: { lost: { to: 'phone', packet: 'PUBLISH' } }, min: 2 } },
      say: {
        ko: '둘 이상 잃었어요. 되감고 한 번만 끊어 보세요.',
        en: 'That lost more than one. Rewind, and cut only once.',
      },
    },
    {
      when: { decision: { is: 'not_delivered', who: 'phone', why: 'offline' } },
      say: {
        ko: '휴대폰이 없는 사이에 메시지가 와서, 브로커가 아예 보내지 않았어요. 이것도 놓친 거지만, 선 위에서 잃은 것과는 달라요.',
        en: 'A message came while the phone was away, so the broker never sent it. It is missed too, but it wasn’t lost on the way.',
      },
    },
    {
      when: { all: [{ command: { do: 'cut', who: 'phone' } }, { count: { of: told('phone', TEMPERATURE), min: 5 } }] },
      say: {
        ko: '끊었을 때 선 위에 아무것도 없었어요. 되감아서 화살표가 휴대폰으로 날아가는 동안 끊으세요.',
        en: 'Nothing was on the wire when you cut. Rewind, and cut while an arrow flies to the phone.',
      },
    },
    {
      when: { lost: { from: 'kitchen' } },
      say: {
        ko: '센서 쪽이 끊겼어요. 휴대폰의 연결을 끊어야 해요.',
        en: 'That was the sensor’s link. Cut the phone’s.',
      },
    },
  ],
  sections: [
    {
      v5: '4.3.1',
      v311: '4.3.1',
      says: {
        ko: '받는 쪽은 응답하지 않고 보내는 쪽은 다시 보내지 않아요. 메시지는 한 번 오거나 아예 오지 않아요.',
        en: 'The receiver sends no response and the sender doesn’t retry. The message arrives once or not at all.',
      },
    },
  ],
  solution: [[s(3), CUT]],
  look: {
    at: 'ladder',
    text: {
      ko: '끊긴 화살표가 어디서 멈췄는지 보세요. 그 아래에 다시 보내는 화살표가 있나요?',
      en: 'See where the broken arrow ends. Is there another one below it that tries again?',
    },
  },
  closing: {
    ko: '3초 뒤에 새 온도가 오니까 하나쯤 잃어도 괜찮아요. QoS 0은 그런 데이터에 알맞아요.',
    en: 'Three seconds later there is a new temperature, so one lost is no harm. That is what QoS 0 is for.',
  },
};
