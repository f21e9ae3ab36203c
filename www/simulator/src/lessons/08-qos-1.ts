import { device, house, KEEPS_SESSION, TEMPERATURE } from './house';
import { exactly, type Lesson, told } from './lesson';
import { type Atom, type Command, s } from './stage';

const CUT: Command = { do: 'cut_when', who: 'phone', packet: 'PUBACK', toward: 'broker', nth: 1, at: 'half_way' };
const PUBLISH: Command = { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21', qos: 1 };
const ACK_LOST: Atom = { lost: { from: 'phone', packet: 'PUBACK' } };
const AGAIN: Atom = told('phone', TEMPERATURE, { payload: '21', dup: true });

// kitchen → broker  PUBLISH "21" QoS 1 id 1;  broker → kitchen PUBACK id 1
// broker → phone    PUBLISH "21" QoS 1 id 1 DUP 0, told;  phone → broker PUBACK id 1, lost half-way, cut
// nothing for as long as the phone is away
// phone → broker    CONNECT Clean Start 0;  broker → phone CONNACK Session Present 1, PUBLISH "21" QoS 1 id 1 DUP 1, told
// phone → broker    PUBACK id 1
export const qos1: Lesson = {
  id: 'qos-1',
  number: 8,
  minutes: 5,
  title: { ko: 'QoS 1: 적어도 한 번', en: 'QoS 1: at least once' },
  story: {
    ko: '이번에는 서비스 품질(QoS) 1이에요. 휴대폰은 메시지를 받으면 PUBACK으로 확인 응답(acknowledgement)을 해요. 그런데 PUBACK이 가는 도중에 연결이 끊기면요? 휴대폰은 받았고, 브로커는 그걸 몰라요.',
    en: 'Now with QoS 1: the phone acknowledges what it got with PUBACK. But what if the link breaks while PUBACK is on its way? The phone has the message, and the broker doesn’t know.',
  },
  question: {
    ask: {
      ko: 'PUBACK을 받지 못한 브로커는 어떻게 할까요?',
      en: 'PUBACK never came. What does the broker do?',
    },
    options: [
      { id: 'timer', text: { ko: '몇 초마다 다시 보내요', en: 'It sends again every few seconds' } },
      { id: 'drop', text: { ko: '보냈으니 지워요', en: 'It drops the message: it was sent' } },
      {
        id: 'return',
        text: {
          ko: '휴대폰이 다시 연결할 때까지 기다렸다가, 그때 다시 보내요',
          en: 'It waits until the phone connects again, and sends again then',
        },
      },
    ],
    right: 'return',
    why: {
      ko: 'QoS 1의 재전송은 시계가 아니라 재연결이 일으켜요. 5.0은 다른 때에 다시 보내는 것을 금지하고, 3.1.1도 다시 보내야 하는 때로는 이때만 꼽아요.',
      en: 'It is the reconnect that makes QoS 1 send again, not a clock. 5.0 forbids it at any other time; 3.1.1 demands it only then.',
    },
  },
  goal: {
    ko: 'PUBACK이 가는 도중에 연결을 끊고, 10초 넘게 기다리며 지켜보세요. 그런 다음 휴대폰을 연결해서 같은 메시지를 `DUP 1`로 한 번 더 받게 하세요.',
    en: 'Cut the link while PUBACK travels, and watch for more than 10 seconds. Then connect the phone, so that it gets the same message once more, with `DUP 1`.',
  },
  actions: [
    { label: { ko: 'PUBACK이 가는 도중에 끊기', en: 'Cut when PUBACK is half-way' }, commands: [CUT] },
    { label: { ko: '21 발행하기 (QoS 1)', en: 'Publish 21 (QoS 1)' }, commands: [PUBLISH] },
    { label: { ko: '휴대폰 연결하기', en: 'Connect the phone' }, commands: [{ do: 'connect', who: 'phone' }] },
  ],
  scenario: house({
    clients: [device('kitchen'), device('phone', KEEPS_SESSION)],
    script: [
      [0, { do: 'connect', who: 'kitchen' }],
      [0, { do: 'connect', who: 'phone' }],
      [s(1), { do: 'subscribe', who: 'phone', filter: TEMPERATURE, qos: 1 }],
    ],
    begin: s(2),
    view: 'ladder',
  }),
  check: {
    all: [
      { before: [ACK_LOST, { delivered: { to: 'phone', packet: 'CONNACK', session_present: true } }, AGAIN] },
      { not: { within: { of: AGAIN, after: ACK_LOST, ms: 10_000 } } },
      exactly(2, told('phone', TEMPERATURE, { payload: '21' })),
    ],
  },
  hints: [
    {
      ko: '끊을 순간은 메시지가 온 다음, 확인 응답이 닿기 전이에요. 발행하기 전에 미리 걸어 두세요.',
      en: 'The moment is after the message came and before its acknowledgement arrives. Arm the cut before you publish.',
    },
    {
      ko: '끊긴 뒤 10초 넘게 시간을 보내세요. 아무 일도 없는 것을 확인하는 게 요점이에요.',
      en: 'Let more than ten seconds pass after the cut. That nothing happens is the point.',
    },
    {
      ko: '‘PUBACK이 가는 도중에 끊기’, ‘21 발행하기 (QoS 1)’, 10초 넘게 재생, ‘휴대폰 연결하기’.',
      en: '“Cut when PUBACK is half-way”, “Publish 21 (QoS 1)”, play for more than ten seconds, “Connect the phone”.',
    },
  ],
  traps: [
    {
      when: { within: { of: AGAIN, after: ACK_LOST, ms: 10_000 } },
      say: {
        ko: '다시 받기는 했는데, 너무 빨리 연결했어요. 되감아서 10초 넘게 지켜본 다음 연결하세요. 그사이 브로커는 무엇을 하나요?',
        en: 'It came again, but you connected too soon. Rewind and watch for more than ten seconds first. What does the broker do meanwhile?',
      },
    },
    {
      when: { lost: { to: 'phone', packet: 'PUBLISH' } },
      say: {
        ko: '메시지가 닿기 전에 끊었어요. 그러면 한 번만 받게 돼요. PUBACK을 끊어 보세요.',
        en: 'You cut before the message arrived, so it is received only once. Cut PUBACK instead.',
      },
    },
    {
      when: { before: [ACK_LOST, { delivered: { to: 'phone', packet: 'CONNACK', session_present: false } }] },
      say: {
        ko: '세션이 사라졌어요. `Clean Start 1`로 연결하면 브로커도 다시 보낼 것을 잊어요.',
        en: 'The Session is gone: with `Clean Start 1` the broker forgets what it had to send again.',
      },
    },
  ],
  sections: [
    {
      v5: '4.4',
      v311: '4.4',
      says: {
        ko: '세션을 이어 다시 연결하면 확인되지 않은 PUBLISH를 원래 패킷 식별자로 다시 보내야 해요. 5.0에서는 그때만 보낼 수 있어요.',
        en: 'On a reconnect that resumes the Session, unacknowledged PUBLISH packets must be sent again with their Packet Identifiers; in 5.0 only then.',
      },
    },
    {
      v5: '3.3.1.1',
      v311: '3.3.1.1',
      says: { ko: '다시 보내는 PUBLISH에는 DUP을 1로 적어요.', en: 'DUP must be 1 in a PUBLISH that is sent again.' },
    },
    {
      v5: '4.3.2',
      v311: '4.3.2',
      says: {
        ko: '보낸 쪽은 PUBACK을 받을 때까지 메시지를 확인되지 않은 것으로 여겨요.',
        en: 'The sender treats the message as unacknowledged until PUBACK comes.',
      },
    },
  ],
  solution: [
    ['settled', CUT],
    ['settled', PUBLISH],
    [s(20), { do: 'connect', who: 'phone' }],
  ],
  look: {
    at: 'session',
    text: {
      ko: '끊긴 동안 휴대폰의 세션을 보세요. 메시지가 PUBACK을 기다리고 있어요.',
      en: 'Look at the phone’s Session while it is away: the message waits for PUBACK.',
    },
  },
  closing: {
    ko: '‘확인 응답을 받을 때까지 여러 번 재전송한다’는 설명은 반만 맞아요. 다시 보내는 건 재연결할 때뿐이에요. 그리고 두 번 올 수 있으니 받는 쪽이 견뎌야 해요.',
    en: '“Sent again and again until acknowledged” is half the truth: it is sent again after a reconnect. And since it may come twice, the receiver must be able to bear that.',
  },
};
