import { device, house, WILL, WILL_PAYLOAD, WILL_TOPIC } from './house';
import { type Lesson, told } from './lesson';
import { type Atom, s } from './stage';

const WILL_TOLD = told('phone', WILL_TOPIC, { payload: WILL_PAYLOAD });
const GOODBYE: Atom = { delivered: { from: 'kitchen', packet: 'DISCONNECT', reason: 0 } };
const BACK: Atom = { delivered: { to: 'kitchen', packet: 'CONNACK' } };

// kitchen → broker  DISCONNECT 0x00: the Will is deleted, nothing to the phone
// kitchen → broker  CONNECT with the Will;  CONNACK;  then the link breaks and the broker learns of it
// broker → phone    PUBLISH home/kitchen/will "kitchen network is dead!"
export const lastWill: Lesson = {
  id: 'last-will',
  number: 13,
  minutes: 4,
  title: { ko: '유언', en: 'Last Will' },
  story: {
    ko: '주방 센서는 연결할 때 브로커(broker)에 유언(Will)을 맡겼어요. 토픽은 `home/kitchen/will`, 내용은 `kitchen network is dead!`예요. 휴대폰은 그 토픽을 구독하고 있어요.',
    en: 'When it connected, the kitchen sensor left a Will with the broker: topic `home/kitchen/will`, message `kitchen network is dead!`. The phone has subscribed to that topic.',
  },
  question: {
    ask: {
      ko: '센서가 DISCONNECT를 보내고 제대로 떠나면, 휴대폰은 유언을 받을까요?',
      en: 'The sensor says DISCONNECT and leaves in good order. Does the phone get the Will?',
    },
    options: [
      { id: 'yes', text: { ko: '네. 떠난 건 떠난 거니까요', en: 'Yes: gone is gone' } },
      {
        id: 'no',
        text: { ko: '아니요. 인사하고 떠나면 유언은 지워져요', en: 'No: with a goodbye the Will is deleted' },
      },
      { id: 'later', text: { ko: '네. 다만 한참 뒤에요', en: 'Yes, but much later' } },
    ],
    right: 'no',
    why: {
      ko: '유언은 말없이 사라졌을 때를 위한 거예요. DISCONNECT를 받으면 브로커는 유언을 지워요.',
      en: 'The Will is for going without a word. When DISCONNECT comes, the broker deletes it.',
    },
  },
  goal: {
    ko: '둘 다 해 보세요. 한 번은 센서가 DISCONNECT로 떠나서 휴대폰이 조용하게, 한 번은 연결이 끊겨서 유언이 오게요.',
    en: 'Do both: let the sensor leave with DISCONNECT, so that the phone hears nothing; and break its link, so that the Will comes.',
  },
  actions: [
    { label: { ko: '센서: DISCONNECT', en: 'Sensor: DISCONNECT' }, commands: [{ do: 'disconnect', who: 'kitchen' }] },
    { label: { ko: '센서: 연결하기', en: 'Sensor: connect' }, commands: [{ do: 'connect', who: 'kitchen' }] },
    { label: { ko: '센서의 연결 끊기', en: 'Cut the sensor’s link' }, commands: [{ do: 'cut', who: 'kitchen' }] },
  ],
  scenario: house({
    clients: [device('kitchen', { will: WILL }), device('phone')],
    script: [
      [0, { do: 'connect', who: 'kitchen' }],
      [0, { do: 'connect', who: 'phone' }],
      [s(1), { do: 'subscribe', who: 'phone', filter: WILL_TOPIC, qos: 0 }],
    ],
    begin: s(2),
    view: 'map',
  }),
  // In whichever order: a goodbye and a new beginning, then the Will; or the Will, a new beginning, and a quiet goodbye.
  check: {
    any: [
      { before: [GOODBYE, BACK, WILL_TOLD] },
      { all: [{ before: [WILL_TOLD, BACK, GOODBYE] }, { quiet: { of: WILL_TOLD, after: GOODBYE, ms: 2000 } }] },
    ],
  },
  hints: [
    {
      ko: '떠나는 방법은 둘이에요. 인사하고 떠나기, 말없이 사라지기.',
      en: 'There are two ways to go: with a goodbye, and without a word.',
    },
    {
      ko: '한 번 떠난 센서는 다시 연결해야 또 떠날 수 있어요.',
      en: 'A sensor that has left must connect before it can leave again.',
    },
    {
      ko: '‘센서: DISCONNECT’, ‘센서: 연결하기’, ‘센서의 연결 끊기’를 사이사이 재생하며 누르세요.',
      en: 'Press “Sensor: DISCONNECT”, “Sensor: connect” and “Cut the sensor’s link”, playing a little in between.',
    },
  ],
  traps: [
    {
      when: { delivered: { from: 'kitchen', packet: 'DISCONNECT', reason: 4 } },
      say: {
        ko: '이유 코드 `0x04`는 ‘유언과 함께 떠난다’는 뜻이라 유언이 나갔어요. 그냥 DISCONNECT로 떠나 보세요.',
        en: 'Reason Code `0x04` means “disconnect with Will Message”, so the Will was sent. Leave with a plain DISCONNECT.',
      },
    },
    {
      when: { refused: { who: 'kitchen', why: 'not_connected' } },
      say: {
        ko: '센서는 이미 떠났어요. 다시 연결한 다음에 다른 방법으로 떠나 보세요.',
        en: 'The sensor has left already. Connect it again before it leaves the other way.',
      },
    },
  ],
  sections: [
    {
      v5: '3.1.2.5',
      v311: '3.1.2.5',
      says: {
        ko: '브로커는 유언을 맡아 두었다가, DISCONNECT 없이 연결이 닫히면 발행해요.',
        en: 'The broker stores the Will and publishes it when the connection closes without a DISCONNECT before.',
      },
    },
    {
      v5: '3.14.4',
      v311: '3.14.4',
      says: {
        ko: '정상 DISCONNECT를 받으면 유언을 발행하지 않고 버려요.',
        en: 'On a normal DISCONNECT the Will is discarded unpublished.',
      },
    },
  ],
  solution: [
    ['settled', { do: 'disconnect', who: 'kitchen' }],
    ['settled', { do: 'connect', who: 'kitchen' }],
    ['settled', { do: 'cut', who: 'kitchen' }],
  ],
  look: {
    at: 'session',
    text: {
      ko: '센서의 세션에서 유언 카드를 보세요. DISCONNECT를 하면 사라져요.',
      en: 'Look at the Will in the sensor’s Session: DISCONNECT makes it go.',
    },
  },
  closing: {
    ko: '유언을 발행하는 것은 센서가 아니라 브로커예요. 죽은 센서는 말할 수 없으니까요.',
    en: 'It is the broker that publishes the Will. A dead sensor can’t speak.',
  },
};
