import { device, house } from './house';
import { type Lesson, told } from './lesson';
import { type Atom, type Command, s, type Will } from './stage';

const KITCHEN = 'home/kitchen/status';
const RESTROOM = 'home/restroom/status';
const CUT: Atom = { command: { do: 'cut', who: 'kitchen' } };
const NEWCOMER: Atom = { delivered: { to: 'dashboard', packet: 'SUBACK' } };
const will = (topic: string, retain: boolean): Will => ({ topic, payload: 'offline', qos: 0, retain, delay_s: 0 });
const connect = (retain: boolean): Command => ({ do: 'connect', who: 'kitchen', will: will(KITCHEN, retain) });
const ONLINE: Command = { do: 'publish', who: 'kitchen', topic: KITCHEN, payload: 'online', retain: true };

// kitchen → broker    CONNECT Will home/kitchen/status "offline" Will Retain 1;  PUBLISH home/kitchen/status "online" RETAIN 1
// the link breaks     the broker publishes the Will, which replaces the Retained Message
// dashboard → broker  CONNECT, SUBSCRIBE home/+/status
// broker → dashboard  PUBLISH home/kitchen/status "offline" RETAIN 1, PUBLISH home/restroom/status "online" RETAIN 1
export const presence: Lesson = {
  id: 'presence',
  number: 15,
  minutes: 5,
  title: { ko: '누가 있나요?', en: 'Who is there?' },
  story: {
    ko: '센서는 연결하면 자기 상태 토픽에 `online`을 보존 메시지(Retained Message)로 발행해요. 갑자기 끊기면 유언(Will)이 같은 토픽에 `offline`을 발행하고요. 현황판은 아직 꺼져 있어요.',
    en: 'Once connected, a sensor publishes `online` to its status topic as a Retained Message; if it breaks off, its Will publishes `offline` to the same topic. The dashboard is still switched off.',
  },
  question: {
    ask: {
      ko: '유언이 보존되지 않는다면(Will Retain 0), 센서가 끊긴 뒤에 켠 현황판은 무엇을 볼까요?',
      en: 'If the Will is not retained (Will Retain 0), what does a dashboard see that is switched on after the sensor broke off?',
    },
    options: [
      { id: 'offline', text: { ko: '`offline`', en: '`offline`' } },
      { id: 'nothing', text: { ko: '아무것도 못 봐요', en: 'Nothing' } },
      { id: 'online', text: { ko: '`online`', en: '`online`' } },
    ],
    right: 'online',
    why: {
      ko: '유언은 그때 듣고 있던 클라이언트에게만 가고 사라져요. 브로커에 남은 마지막 값은 여전히 `online`이에요.',
      en: 'The Will goes to those who listen at that moment, and is gone. The last value that the broker keeps is still `online`.',
    },
  },
  goal: {
    ko: '주방 센서를 연결하고 `online`을 알린 뒤 연결을 끊으세요. 그다음에야 켠 현황판이 주방은 `offline`, 화장실은 `online`이라는 걸 바로 알게 하세요.',
    en: 'Connect the kitchen sensor, announce `online`, and cut its link. A dashboard switched on only after that must know at once: kitchen `offline`, restroom `online`.',
  },
  actions: [
    {
      label: { ko: '주방: 유언과 함께 연결하기', en: 'Kitchen: connect with a Will' },
      commands: [connect(false)],
      edit: ['will.retain'],
    },
    { label: { ko: '주방: online 알리기', en: 'Kitchen: announce online' }, commands: [ONLINE] },
    { label: { ko: '주방의 연결 끊기', en: 'Cut the kitchen’s link' }, commands: [{ do: 'cut', who: 'kitchen' }] },
    { label: { ko: '현황판: 연결하기', en: 'Dashboard: connect' }, commands: [{ do: 'connect', who: 'dashboard' }] },
    {
      label: { ko: '현황판: 모든 상태 구독하기', en: 'Dashboard: subscribe to every status' },
      commands: [{ do: 'subscribe', who: 'dashboard', filter: 'home/+/status', qos: 0 }],
    },
  ],
  scenario: house({
    clients: [device('kitchen'), device('restroom', { will: will(RESTROOM, true) }), device('dashboard')],
    script: [
      [0, { do: 'connect', who: 'restroom' }],
      [s(1), { do: 'publish', who: 'restroom', topic: RESTROOM, payload: 'online', retain: true }],
    ],
    begin: s(2),
    view: 'map',
  }),
  check: {
    all: [
      { command: { do: 'publish', who: 'kitchen', topic: KITCHEN, payload: 'online', retain: true } },
      {
        since: {
          last: CUT,
          check: {
            all: [
              { before: [NEWCOMER, told('dashboard', KITCHEN, { payload: 'offline', retain: true })] },
              told('dashboard', RESTROOM, { payload: 'online', retain: true }),
            ],
          },
        },
      },
      { not: { command: { do: 'publish', by: 'user', topic: KITCHEN, payload: 'offline' } } },
    ],
  },
  hints: [
    {
      ko: '나중에 켠 현황판에도 남아 있는 메시지는 어떤 메시지였나요? 유언도 그렇게 만들 수 있어요.',
      en: 'Which kind of message is still there for a latecomer? A Will can be one too.',
    },
    {
      ko: '연결할 때 유언의 RETAIN(Will Retain)을 켜세요.',
      en: 'Turn on RETAIN of the Will (Will Retain) when you connect.',
    },
    {
      ko: '유언 RETAIN을 켜고 주방을 연결, online 알리기, 연결 끊기, 현황판 연결하기, 구독하기.',
      en: 'Connect the kitchen with the Will’s RETAIN on, announce online, cut, connect the dashboard, subscribe.',
    },
  ],
  traps: [
    {
      when: { since: { last: CUT, check: told('dashboard', KITCHEN, { payload: 'online', retain: true }) } },
      say: {
        ko: '현황판이 주방을 살아 있다고 믿어요. 유언이 보존되지 않아서 낡은 `online`이 남았거든요. 되감아서 유언의 RETAIN을 켜세요.',
        en: 'The dashboard believes the kitchen is alive: the Will wasn’t retained, so the old `online` stayed. Rewind and turn on RETAIN of the Will.',
      },
    },
    {
      when: told('dashboard', KITCHEN, { payload: 'offline', retain: false }),
      say: {
        ko: '현황판이 이미 켜져 있어서 소식으로 들었어요. 끊긴 다음에 켜야 시험이 돼요.',
        en: 'The dashboard was on already and heard it as news. Switch it on after the cut.',
      },
    },
    {
      when: { command: { do: 'publish', by: 'user', topic: KITCHEN, payload: 'offline' } },
      say: {
        ko: '`offline`을 손으로 발행했네요. 죽은 센서는 그럴 수 없어요. 되감아 보세요.',
        en: 'You published `offline` by hand. A dead sensor couldn’t: rewind.',
      },
    },
    {
      when: {
        since: {
          last: CUT,
          check: { quiet: { of: { told: { who: 'dashboard', topic: KITCHEN } }, after: NEWCOMER, ms: 3000 } },
        },
      },
      say: {
        ko: '현황판은 주방에 대해 아무것도 몰라요. 보존된 값이 없어요. `online`을 알리고, 유언의 RETAIN도 켜세요.',
        en: 'The dashboard knows nothing of the kitchen: nothing was retained. Announce `online`, and turn on RETAIN of the Will.',
      },
    },
  ],
  sections: [
    {
      v5: '3.1.2.7',
      v311: '3.1.2.7',
      says: {
        ko: 'Will Retain이 1이면 브로커는 유언을 보존 메시지로 발행해야 해요.',
        en: 'With Will Retain 1 the broker must publish the Will as a Retained Message.',
      },
    },
    {
      v5: '3.3.1.3',
      v311: '3.3.1.3',
      says: {
        ko: '같은 토픽의 새 보존 메시지는 앞의 것을 바꿔 놓아요.',
        en: 'A new Retained Message replaces the one before it on the same topic.',
      },
    },
  ],
  solution: [
    ['settled', connect(true)],
    ['settled', ONLINE],
    ['settled', { do: 'cut', who: 'kitchen' }],
    ['settled', { do: 'connect', who: 'dashboard' }],
    ['settled', { do: 'subscribe', who: 'dashboard', filter: 'home/+/status', qos: 0 }],
  ],
  look: {
    at: 'topics',
    text: {
      ko: '끊는 순간 `home/kitchen/status`의 보존된 값이 어떻게 바뀌는지 보세요.',
      en: 'See how the retained value of `home/kitchen/status` changes at the cut.',
    },
  },
  closing: {
    ko: '연결하면 `online`을 발행하고, 유언으로 `offline`을 남기고, 둘 다 보존해요. 제대로 떠날 때는 `offline`을 직접 발행한 뒤 DISCONNECT하면 돼요.',
    en: 'Publish `online` when connected, leave `offline` as the Will, retain both. Leaving in good order, publish `offline` yourself before DISCONNECT.',
  },
};
