import { device, house, KEEPS_SESSION, TEMPERATURE } from './house';
import { type Lesson, told } from './lesson';
import { type Atom, type Command, s } from './stage';

const readings = ['21', '22', '23', '24', '25'].map(
  (payload, index) =>
    [s(3 + 0.2 * index), { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload, qos: 1 }] as const,
);
const CUT: Command = { do: 'cut_when', who: 'phone', packet: 'PUBACK', toward: 'broker', nth: 1, at: 'half_way' };
const ACK: Command = { do: 'ack', who: 'phone' };
const ARRIVED: Atom = { delivered: { from: 'phone', packet: 'PUBACK' } };
const again = (payload: string): Atom => told('phone', TEMPERATURE, { payload, dup: true });

// kitchen → broker  PUBLISH "21" … "25" QoS 1, PUBACK each
// broker → phone    PUBLISH id 1 … 5, told, none acknowledged: five in flight
// phone → broker    PUBACK id 1, PUBACK id 2;  PUBACK id 3, lost half-way, cut
// phone → broker    CONNECT;  broker → phone CONNACK Session Present 1, PUBLISH id 3, id 4, id 5, each with DUP 1
export const inFlight: Lesson = {
  id: 'in-flight',
  number: 18,
  minutes: 5,
  title: { ko: '패킷 번호와 순서', en: 'Packet ids and order' },
  story: {
    ko: '센서가 QoS 1로 다섯 개를 잇달아 발행해요. 휴대폰은 확인 응답(acknowledgement)을 손으로 해요. 그래서 다섯 개가 모두 전송 중(in flight)에 머물고, 브로커는 패킷 식별자(Packet Identifier) 1부터 5로 구별해요.',
    en: 'The sensor publishes five messages with QoS 1. The phone acknowledges by hand, so all five stay in flight, and the broker tells them apart by Packet Identifiers 1 to 5.',
  },
  question: {
    ask: {
      ko: '1과 2의 PUBACK은 도착했고, 3의 PUBACK은 가는 도중에 사라졌어요. 4와 5는 아직이에요. 다시 연결하면 무엇이 어떤 순서로 올까요?',
      en: 'PUBACK for 1 and 2 arrived; PUBACK for 3 was lost as the link broke; 4 and 5 had none yet. What comes after the reconnect, in which order?',
    },
    options: [
      { id: 'three', text: { ko: '3만', en: '3 only' } },
      { id: 'order', text: { ko: '3, 4, 5', en: '3, 4, 5' } },
      { id: 'last', text: { ko: '4, 5, 3', en: '4, 5, 3' } },
      { id: 'all', text: { ko: '1, 2, 3, 4, 5', en: '1, 2, 3, 4, 5' } },
    ],
    right: 'order',
    why: {
      ko: '확인되지 않은 것은 모두, 처음 보낸 순서대로 다시 와요. 확인된 1과 2는 끝난 거예요.',
      en: 'Everything unacknowledged comes again, in the order of the first time. 1 and 2 are done.',
    },
  },
  goal: {
    ko: '둘을 확인하고, 세 번째 PUBACK이 가는 도중에 끊기게 하세요. 휴대폰이 돌아오면 23, 24, 25가 순서대로 `DUP 1`로 와야 해요.',
    en: 'Acknowledge two, and let the link break while the third PUBACK is on its way. Back again, the phone must get 23, 24, 25 in order with `DUP 1`.',
  },
  actions: [
    { label: { ko: '휴대폰: 하나 확인하기', en: 'Phone: acknowledge one' }, commands: [ACK] },
    { label: { ko: '다음 PUBACK이 가는 도중에 끊기', en: 'Cut when the next PUBACK is half-way' }, commands: [CUT] },
  ],
  scenario: house({
    clients: [device('kitchen'), device('phone', { ...KEEPS_SESSION, ack: 'manual', reconnect_s: 2 })],
    script: [
      [0, { do: 'connect', who: 'kitchen' }],
      [0, { do: 'connect', who: 'phone' }],
      [s(1), { do: 'subscribe', who: 'phone', filter: TEMPERATURE, qos: 1 }],
      ...readings,
    ],
    begin: s(2),
    view: 'split',
  }),
  check: {
    all: [
      {
        before: [
          ARRIVED,
          ARRIVED,
          { lost: { from: 'phone', packet: 'PUBACK' } },
          again('23'),
          again('24'),
          again('25'),
        ],
      },
      { not: again('21') },
      { not: again('22') },
    ],
  },
  hints: [
    {
      ko: '먼저 다섯 개가 다 올 때까지 재생하세요. 확인은 온 순서대로 하나씩 나가요.',
      en: 'Play until all five have come. Acknowledgements go out one by one, in order.',
    },
    {
      ko: '두 번 확인하고 둘 다 브로커에 닿은 다음에, 끊기를 걸고 한 번 더 확인하세요.',
      en: 'Acknowledge twice and let both arrive. Then arm the cut and acknowledge once more.',
    },
    {
      ko: '‘하나 확인하기’ 두 번, 재생, ‘다음 PUBACK이 가는 도중에 끊기’, ‘하나 확인하기’, 재생.',
      en: '“Phone: acknowledge one” twice, play, “Cut when the next PUBACK is half-way”, “Phone: acknowledge one”, play.',
    },
  ],
  traps: [
    {
      when: again('21'),
      say: {
        ko: '첫 PUBACK이 닿기 전에 끊겨서 다섯 개가 다 다시 왔어요. 되감아서 두 개가 닿을 때까지 기다리세요.',
        en: 'The link broke before the first PUBACK arrived, so all five came again. Rewind and let two arrive.',
      },
    },
    {
      when: { all: [again('22'), { not: again('21') }] },
      say: {
        ko: 'PUBACK 하나만 닿았어요. 되감아서 두 개가 닿은 뒤에 끊으세요.',
        en: 'Only one PUBACK had arrived. Rewind, and cut after two.',
      },
    },
    {
      when: { all: [again('24'), { not: again('23') }] },
      say: {
        ko: '세 번째 PUBACK까지 닿았어요. 세 번째가 가는 도중에 끊어야 해요.',
        en: 'The third PUBACK had arrived too. It is the one to cut.',
      },
    },
  ],
  sections: [
    {
      v5: '4.6',
      v311: '4.6',
      says: {
        ko: '다시 보낼 때는 처음 보낸 순서대로, 확인 응답은 받은 순서대로 보내요.',
        en: 'Messages are sent again in their first order, and acknowledged in the order in which they came.',
      },
    },
    {
      v5: '2.2.1',
      v311: '2.3.1',
      says: {
        ko: 'QoS 1과 2의 PUBLISH에는 패킷 식별자가 있고, 확인될 때까지 그 번호는 다른 데 쓸 수 없어요.',
        en: 'A PUBLISH of QoS 1 or 2 has a Packet Identifier, which can’t be used again until it is acknowledged.',
      },
    },
  ],
  solution: [
    ['settled', ACK],
    ['settled', ACK],
    ['settled', CUT],
    ['settled', ACK],
  ],
  look: {
    at: 'session',
    text: {
      ko: '전송 중인 줄이 다섯에서 셋으로 줄었다가, 다시 연결하면 그대로 이어지는 것을 보세요.',
      en: 'See the rows in flight shrink from five to three, and go on after the reconnect.',
    },
  },
  closing: {
    ko: '같은 메시지가 두 번 올 수는 있어도, 다시 오는 것들도 처음 순서를 지켜요. 한 번에 몇 개까지 날아도 되는지는 수신 최대치(Receive Maximum)로 정해요.',
    en: 'A message may come twice, but what comes again keeps its first order. How many may be in flight at a time is set by Receive Maximum.',
  },
};
