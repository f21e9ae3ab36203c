import { device, house, KEEPS_SESSION, TEMPERATURE } from './house';
import { exactly, type Lesson, told } from './lesson';
import { type Command, type PacketName, s } from './stage';

const cut = (packet: PacketName, toward: 'broker' | 'client'): Command => ({
  do: 'cut_when',
  who: 'phone',
  packet,
  toward,
  nth: 1,
  at: 'half_way',
});
const PUBLISH: Command = { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21', qos: 2 };

// kitchen ⇄ broker  PUBLISH QoS 2 id 1, PUBREC, PUBREL, PUBCOMP
// broker → phone    PUBLISH id 1, told;   phone → broker  PUBREC id 1, lost, cut 1
// CONNECT, CONNACK Session Present 1;     broker → phone  PUBLISH id 1 DUP 1, not told: the identifier is held
// phone → broker    PUBREC id 1;          broker → phone  PUBREL id 1, lost, cut 2
// CONNECT, CONNACK Session Present 1;     broker → phone  PUBREL id 1: the message itself is never sent again
// phone → broker    PUBCOMP id 1, lost, cut 3
// CONNECT, CONNACK Session Present 1;     broker → phone  PUBREL id 1;  phone → broker PUBCOMP id 1 reason 0x92
export const qos2: Lesson = {
  id: 'qos-2',
  number: 9,
  minutes: 5,
  title: { ko: 'QoS 2: 정확히 한 번', en: 'QoS 2: exactly once' },
  story: {
    ko: '서비스 품질(QoS) 2는 패킷 네 개로 메시지 하나를 넘겨요. PUBLISH, PUBREC, PUBREL, PUBCOMP예요. 휴대폰은 끊길 때마다 2초 뒤에 돌아와요. 아무 데서나 끊어도 정말 한 번만 올까요?',
    en: 'QoS 2 hands one message over with four packets: PUBLISH, PUBREC, PUBREL, PUBCOMP. The phone comes back two seconds after each cut. Does the message really come only once, wherever you cut?',
  },
  question: {
    ask: {
      ko: 'PUBCOMP가 가는 도중에 끊겼어요. 휴대폰이 돌아오면 브로커는 무엇을 다시 보낼까요?',
      en: 'The link breaks while PUBCOMP is on its way. What does the broker send again when the phone is back?',
    },
    options: [
      { id: 'publish', text: { ko: '`DUP 1`을 적은 PUBLISH', en: 'PUBLISH with `DUP 1`' } },
      { id: 'nothing', text: { ko: '아무것도 안 보내요', en: 'Nothing' } },
      { id: 'pubrel', text: { ko: 'PUBREL', en: 'PUBREL' } },
    ],
    right: 'pubrel',
    why: {
      ko: 'PUBREC을 받은 순간부터 브로커는 메시지를 다시 보내면 안 돼요. 남은 일은 PUBREL을 확인받는 것뿐이에요.',
      en: 'From the moment PUBREC came, the broker must not send the message again. What is left to be confirmed is PUBREL.',
    },
  },
  goal: {
    ko: '메시지 하나를 넘기는 동안 PUBREC, PUBREL, PUBCOMP가 가는 도중에 한 번씩, 모두 세 번 끊으세요. 그래도 휴대폰은 메시지를 한 번만 받아야 해요.',
    en: 'While one message is handed over, cut three times: at PUBREC, at PUBREL and at PUBCOMP. The phone must still receive the message once.',
  },
  actions: [
    {
      label: { ko: 'PUBREC이 가는 도중에 끊기', en: 'Cut when PUBREC is half-way' },
      commands: [cut('PUBREC', 'broker')],
    },
    {
      label: { ko: 'PUBREL이 가는 도중에 끊기', en: 'Cut when PUBREL is half-way' },
      commands: [cut('PUBREL', 'client')],
    },
    {
      label: { ko: 'PUBCOMP가 가는 도중에 끊기', en: 'Cut when PUBCOMP is half-way' },
      commands: [cut('PUBCOMP', 'broker')],
    },
    { label: { ko: '21 발행하기 (QoS 2)', en: 'Publish 21 (QoS 2)' }, commands: [PUBLISH] },
  ],
  scenario: house({
    clients: [device('kitchen'), device('phone', { ...KEEPS_SESSION, reconnect_s: 2 })],
    script: [
      [0, { do: 'connect', who: 'kitchen' }],
      [0, { do: 'connect', who: 'phone' }],
      [s(1), { do: 'subscribe', who: 'phone', filter: TEMPERATURE, qos: 2 }],
    ],
    begin: s(2),
    view: 'ladder',
  }),
  check: {
    all: [
      {
        before: [
          { lost: { from: 'phone', packet: 'PUBREC' } },
          { lost: { to: 'phone', packet: 'PUBREL' } },
          { lost: { from: 'phone', packet: 'PUBCOMP' } },
          { delivered: { from: 'phone', packet: 'PUBCOMP' } },
        ],
      },
      exactly(1, told('phone', TEMPERATURE)),
    ],
  },
  hints: [
    {
      ko: '세 번 다 같은 메시지를 넘기는 동안이어야 해요. 발행하기 전에 모두 걸어 두세요.',
      en: 'All three must fall into the same handover. Arm them before you publish.',
    },
    {
      ko: '끊기 버튼 셋을 모두 누르고, 한 번만 발행하고, 끝까지 재생하세요.',
      en: 'Press all three cut buttons, publish once, and play to the end.',
    },
    {
      ko: '차례대로 PUBREC, PUBREL, PUBCOMP 버튼, 그리고 ‘21 발행하기 (QoS 2)’를 누르세요.',
      en: 'Press the buttons for PUBREC, PUBREL and PUBCOMP, then “Publish 21 (QoS 2)”.',
    },
  ],
  traps: [
    {
      when: { count: { of: told('phone', TEMPERATURE), min: 2 } },
      say: {
        ko: '메시지를 두 번 발행했어요. 하나로 세 번 다 끊어 보세요.',
        en: 'That was two messages. Cut three times within one.',
      },
    },
    {
      when: {
        all: [
          { delivered: { from: 'phone', packet: 'PUBCOMP' } },
          { not: { lost: { from: 'phone', packet: 'PUBREC' } } },
        ],
      },
      say: {
        ko: '이 메시지는 이미 다 넘어갔어요. 되감아서 발행하기 전에 끊기를 걸어 두세요.',
        en: 'This message is handed over already. Rewind, and arm the cuts before you publish.',
      },
    },
  ],
  sections: [
    {
      v5: '4.3.3',
      v311: '4.3.3',
      says: {
        ko: '받는 쪽은 PUBREL이 올 때까지 패킷 식별자를 기억하고, 같은 식별자의 PUBLISH가 또 와도 PUBREC만 다시 보내요.',
        en: 'Until PUBREL comes the receiver remembers the Packet Identifier, and answers the same PUBLISH with PUBREC only.',
      },
    },
    {
      v5: '4.4',
      v311: '4.4',
      says: {
        ko: '다시 연결하면 확인되지 않은 PUBLISH와 PUBREL을 다시 보내요.',
        en: 'After a reconnect unacknowledged PUBLISH and PUBREL packets are sent again.',
      },
    },
  ],
  solution: [
    ['settled', cut('PUBREC', 'broker')],
    ['settled', cut('PUBREL', 'client')],
    ['settled', cut('PUBCOMP', 'broker')],
    ['settled', PUBLISH],
  ],
  look: {
    at: 'ladder',
    text: {
      ko: 'PUBLISH가 두 번 간 곳을 찾아보세요. 두 번째 것에 휴대폰은 무엇으로 답했나요?',
      en: 'Find where PUBLISH went twice. What did the phone answer the second time?',
    },
  },
  closing: {
    ko: '정확히 한 번이 되는 건 서로 ‘이 번호는 아직 끝나지 않았다’고 기억하기 때문이에요. 대신 패킷이 네 개라 느리고, 양쪽 다 기억해야 해요.',
    en: '“Exactly once” works because both sides remember which number is unfinished. The price: four packets, and memory on both sides.',
  },
};
