import { device, house, TEMPERATURE } from './house';
import { type Lesson, told } from './lesson';
import { type Atom, type Command, s } from './stage';

const ROUND: readonly Command[] = ['1', '2', '3', '4', '5'].map((payload) => ({
  do: 'publish',
  who: 'kitchen',
  topic: TEMPERATURE,
  payload,
}));
const BAD: Command = { do: 'link', who: 'phone', latency_ms: 1500, jitter_ms: 1200, bytes_per_s: 20 };
const GOOD: Command = { do: 'link', who: 'phone', latency_ms: 100, jitter_ms: 0, bytes_per_s: 0 };
const RADIO: Atom = { command: { do: 'link', who: 'phone', by: 'user' } };
const number = (payload: string): Atom => told('phone', TEMPERATURE, { payload });

// kitchen → broker  PUBLISH "1" … "5", within a second
// broker → phone    the same five PUBLISH of 30 bytes each, over 20 bytes a second: 1.5 s each, in their order
export const noPacketLoss: Lesson = {
  id: 'no-packet-loss',
  number: 10,
  minutes: 4,
  title: { ko: '패킷 손실이 없는 이유', en: 'Why there is no “packet loss”' },
  story: {
    ko: '휴대폰이 엘리베이터에 탔어요. 전파가 나빠서 공중에서 조각들이 사라지고 늦어져요. MQTT는 그 위에서 TCP로 이야기해요.',
    en: 'The phone is in a lift. The radio is bad: pieces vanish in the air or come late. On top of that, MQTT talks over TCP.',
  },
  question: {
    ask: {
      ko: '센서가 1부터 5까지 발행하는데 3을 실은 조각이 공중에서 사라졌어요. 연결이 살아 있다면 휴대폰은 무엇을 볼까요?',
      en: 'The sensor publishes 1 to 5, and the piece with 3 vanishes in the air. While the connection lives, what does the phone see?',
    },
    options: [
      { id: 'hole', text: { ko: '1, 2, 4, 5', en: '1, 2, 4, 5' } },
      { id: 'mixed', text: { ko: '1, 2, 4, 5, 3', en: '1, 2, 4, 5, 3' } },
      { id: 'late', text: { ko: '1, 2, (한참 뒤에) 3, 4, 5', en: '1, 2, (after a while) 3, 4, 5' } },
    ],
    right: 'late',
    why: {
      ko: 'TCP는 사라진 조각을 다시 보내고, 그동안 뒤의 것들을 붙잡아 둬요. 그래서 QoS 0이라도 가운데가 비지 않아요.',
      en: 'TCP sends the lost piece again and holds back what follows. So not even QoS 0 has a hole in the middle.',
    },
  },
  goal: {
    ko: '나쁜 전파를 켜고 1부터 5까지 발행하세요. 늦게라도 순서대로 다 오는지 지켜보세요.',
    en: 'Turn the bad radio on and publish 1 to 5. Watch them come: late, but all of them, in order.',
  },
  actions: [
    {
      label: { ko: '나쁜 전파 켜기', en: 'Bad radio' },
      commands: [BAD],
      edit: ['latency_ms', 'jitter_ms', 'bytes_per_s'],
    },
    { label: { ko: '좋은 전파로 되돌리기', en: 'Good radio' }, commands: [GOOD] },
    { label: { ko: '1부터 5까지 발행하기', en: 'Publish 1 to 5' }, commands: ROUND },
  ],
  scenario: house({
    clients: [device('kitchen'), device('phone', { link: { latency_ms: 100, jitter_ms: 0, bytes_per_s: 0 } })],
    script: [
      [0, { do: 'connect', who: 'kitchen' }],
      [0, { do: 'connect', who: 'phone' }],
      [s(1), { do: 'subscribe', who: 'phone', filter: TEMPERATURE, qos: 0 }],
    ],
    begin: s(2),
    lock: ['cut', 'cut_when', 'half_open', 'freeze'],
    view: 'ladder',
  }),
  // A late one: "5" comes more than a second after every PUBLISH of the sensor, which a good link never does.
  check: {
    since: {
      last: RADIO,
      check: {
        all: [
          { before: [number('1'), number('2'), number('3'), number('4'), number('5')] },
          { not: { within: { of: number('5'), after: { sent: { from: 'kitchen', packet: 'PUBLISH' } }, ms: 1000 } } },
        ],
      },
    },
  },
  hints: [
    { ko: '전파가 먼저 나빠져야 해요. 발행은 그다음이에요.', en: 'The radio has to be bad first; publish after that.' },
    {
      ko: '‘나쁜 전파 켜기’를 누른 다음 발행하고, 다섯 번째가 올 때까지 재생하세요.',
      en: 'Press “Bad radio”, publish, and play until the fifth has come.',
    },
    {
      ko: '숫자는 그대로 두고 ‘나쁜 전파 켜기’, ‘1부터 5까지 발행하기’를 누르고 10초쯤 재생하세요.',
      en: 'Leave the numbers alone: “Bad radio”, “Publish 1 to 5”, and play for some ten seconds.',
    },
  ],
  traps: [
    {
      when: {
        since: {
          last: RADIO,
          check: { within: { of: number('5'), after: { sent: { from: 'kitchen', packet: 'PUBLISH' } }, ms: 1000 } },
        },
      },
      say: {
        ko: '다섯 번째가 1초도 안 돼서 왔어요. 이 정도면 좋은 전파예요. 더 나쁘게 하고 다시 발행해 보세요.',
        en: 'The fifth came within a second: that is a good radio. Make it worse and publish again.',
      },
    },
    {
      when: { all: [number('5'), { not: RADIO }] },
      say: {
        ko: '아직 전파가 좋아요. 나쁜 전파를 켜고 다시 발행하세요.',
        en: 'The radio is still good. Turn the bad one on and publish again.',
      },
    },
  ],
  sections: [
    {
      v5: '4.2',
      v311: '4.2',
      says: {
        ko: 'MQTT는 순서를 지키고 빠짐이 없는 바이트의 흐름을 나르는 전송 계층 위에서만 동작해요.',
        en: 'MQTT needs a transport that gives an ordered, lossless stream of bytes.',
      },
    },
  ],
  solution: [['settled', BAD], ...ROUND.map((command) => ['settled', command] as const)],
  look: {
    at: 'ladder',
    text: {
      ko: '휴대폰으로 가는 화살표가 얼마나 기울었는지 보세요. 기울기가 걸린 시간이에요. 서로 엇갈리지는 않아요.',
      en: 'See how far the arrows to the phone slant: the slant is time. They never cross.',
    },
  },
  closing: {
    ko: '그래서 이 시뮬레이터에는 ‘패킷 손실률’이 없어요. 나쁜 전파가 하는 일은 둘뿐이에요. 늦추거나, 끊거나.',
    en: 'That is why this simulator has no “packet loss %”. A bad radio does two things only: it delays, or it cuts.',
  },
};
