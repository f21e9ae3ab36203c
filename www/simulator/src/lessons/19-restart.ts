import { device, house, KEEPS_SESSION, TEMPERATURE } from './house';
import { type Lesson, told } from './lesson';
import { type Atom, type Command, s } from './stage';

const DOOR = 'home/kitchen/door';
const SUBSCRIBE: Command = { do: 'subscribe', who: 'dashboard', filter: TEMPERATURE, qos: 0 };
const restarted = (storage: boolean): Atom => ({ command: { do: 'restart', by: 'user', storage } });
const back = (session_present: boolean): Atom => ({ delivered: { to: 'phone', packet: 'CONNACK', session_present } });
const TEMPERATURE_KEPT = told('dashboard', TEMPERATURE, { payload: '21', retain: true });

// script   kitchen → broker PUBLISH home/kitchen/temperature "21" QoS 1 RETAIN 1, PUBACK; phone SUBSCRIBE, DISCONNECT
//          kitchen → broker PUBLISH home/kitchen/door "open" QoS 1, PUBACK: queued for the phone
// learner  restart with storage: all links close; kitchen and dashboard come back
//          phone → broker     CONNECT;    broker → phone CONNACK Session Present 1, PUBLISH home/kitchen/door "open" QoS 1
//          dashboard → broker SUBSCRIBE;  broker → dashboard SUBACK 0, PUBLISH home/kitchen/temperature "21" RETAIN 1
//          restart without storage
//          phone → broker     CONNECT;    broker → phone CONNACK Session Present 0, nothing
//          dashboard → broker SUBSCRIBE;  broker → dashboard SUBACK 0, nothing
export const restart: Lesson = {
  id: 'restart',
  number: 19,
  minutes: 6,
  title: { ko: '브로커가 다시 켜지면', en: 'When the broker restarts' },
  story: {
    ko: '브로커는 지금 세 가지를 맡고 있어요. 보존 메시지(Retained Message)인 온도 `21`, 잠든 휴대폰의 구독, 그리고 휴대폰을 기다리는 `open`이에요. 이때 정전이 됐어요.',
    en: 'The broker holds three things: the temperature `21` as a Retained Message, the sleeping phone’s Subscription, and the message `open` that waits for the phone. Then the power fails.',
  },
  question: {
    ask: {
      ko: '저장소가 있는 브로커가 정전 뒤 다시 켜졌어요. 살아남지 못하는 것은 무엇일까요?',
      en: 'A broker with storage comes back after a power cut. What does not survive?',
    },
    options: [
      { id: 'retained', text: { ko: '보존 메시지', en: 'Retained Messages' } },
      {
        id: 'session',
        text: { ko: '만료가 남은 세션과 기다리던 메시지', en: 'Sessions that were to last, and what waits in them' },
      },
      { id: 'connections', text: { ko: '연결', en: 'The connections' } },
    ],
    right: 'connections',
    why: {
      ko: '연결은 늘 끊겨요. 세션은 연결이 아니라서, 저장해 두었다면 다시 이어져요.',
      en: 'Connections always break. A Session is not a connection: if it was stored, it goes on.',
    },
  },
  goal: {
    ko: '먼저 저장소를 두고 다시 켜서, 휴대폰이 `open`을, 현황판이 `21`을 받게 하세요. 그다음 저장소 없이 다시 켜고, 둘 다 아무것도 못 받는 것을 확인하세요.',
    en: 'First restart with storage: the phone must get `open`, the dashboard `21`. Then restart without storage, and see that neither gets anything.',
  },
  actions: [
    {
      label: { ko: '저장소를 두고 다시 켜기', en: 'Restart with storage' },
      commands: [{ do: 'restart', storage: true }],
    },
    {
      label: { ko: '저장소 없이 다시 켜기', en: 'Restart without storage' },
      commands: [{ do: 'restart', storage: false }],
    },
    { label: { ko: '휴대폰: 연결하기', en: 'Phone: connect' }, commands: [{ do: 'connect', who: 'phone' }] },
    { label: { ko: '현황판: 구독하기', en: 'Dashboard: subscribe' }, commands: [SUBSCRIBE] },
  ],
  scenario: house({
    clients: [
      device('kitchen', { reconnect_s: 1 }),
      device('phone', KEEPS_SESSION),
      device('dashboard', { reconnect_s: 1 }),
    ],
    script: [
      [0, { do: 'connect', who: 'kitchen' }],
      [0, { do: 'connect', who: 'phone' }],
      [0, { do: 'connect', who: 'dashboard' }],
      [s(1), { do: 'subscribe', who: 'phone', filter: DOOR, qos: 1 }],
      [s(1.5), { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21', qos: 1, retain: true }],
      [s(3), { do: 'disconnect', who: 'phone' }],
      [s(4), { do: 'publish', who: 'kitchen', topic: DOOR, payload: 'open', qos: 1 }],
    ],
    begin: s(5),
    view: 'map',
  }),
  check: {
    all: [
      { before: [restarted(true), back(true), told('phone', DOOR, { payload: 'open' }), restarted(false)] },
      { before: [restarted(true), TEMPERATURE_KEPT, restarted(false)] },
      {
        since: {
          last: restarted(false),
          check: {
            all: [
              back(false),
              {
                quiet: {
                  of: { told: { who: 'dashboard' } },
                  after: { delivered: { to: 'dashboard', packet: 'SUBACK' } },
                  ms: 2000,
                },
              },
            ],
          },
        },
      },
    ],
  },
  hints: [
    {
      ko: '다시 켤 때마다 두 가지를 물어보세요. 휴대폰은 이어지나요? 새로 구독하면 온도가 오나요?',
      en: 'Ask two things after each restart: does the phone go on where it was? Does a new subscription bring the temperature?',
    },
    {
      ko: '저장소를 두고 다시 켠 뒤 휴대폰을 연결하고, 현황판이 돌아오면 구독하세요. 그다음 저장소 없이 똑같이 하세요.',
      en: 'After the restart with storage connect the phone, and subscribe the dashboard once it is back. Then the same without storage.',
    },
    {
      ko: '‘저장소를 두고 다시 켜기’, 2초 재생, ‘휴대폰: 연결하기’, ‘현황판: 구독하기’, 2초 재생. ‘저장소 없이 다시 켜기’로 한 번 더.',
      en: '“Restart with storage”, play two seconds, “Phone: connect”, “Dashboard: subscribe”, play two seconds. Once more with “Restart without storage”.',
    },
  ],
  traps: [
    {
      when: { all: [restarted(false), { not: restarted(true) }] },
      say: {
        ko: '저장소 없이 먼저 켜서 이제 남은 것이 없어요. 되감아서 저장소를 둔 쪽부터 하세요.',
        en: 'Without storage first, and nothing is left. Rewind and begin with storage.',
      },
    },
    {
      when: { before: [told('phone', DOOR), restarted(true)] },
      say: {
        ko: '다시 켜기 전에 휴대폰이 이미 받아 갔어요. 되감아서 다시 켜기부터 하세요.',
        en: 'The phone got its message before the restart. Rewind and restart first.',
      },
    },
    {
      when: { refused: { who: 'dashboard', do: 'subscribe', why: 'not_connected' } },
      say: {
        ko: '현황판이 아직 돌아오지 않았어요. 1초 뒤에 스스로 연결하니 조금 재생하고 구독하세요.',
        en: 'The dashboard isn’t back yet. It connects by itself after a second: play a little, then subscribe.',
      },
    },
  ],
  sections: [
    {
      v5: '4.1',
      v311: '4.1',
      says: {
        ko: '브로커는 세션이 이어지는 동안 세션 상태를 간직해야 해요. 보존 메시지는 세션에 속하지 않아요.',
        en: 'The broker must keep a Session’s state for as long as the Session lasts. Retained Messages are no part of it.',
      },
    },
    {
      v5: '4.1.2',
      v311: '4.1.1',
      says: {
        ko: '(예) 전원이 믿을 만하면 메모리에만 두어도 되지만, 잃으면 안 되는 데이터는 디스크에 적은 뒤에 보내야 해요.',
        en: '(Example) With reliable power, memory may do; what must never be lost is written to disk before it is sent on.',
      },
    },
  ],
  solution: [
    ['settled', { do: 'restart', storage: true }],
    ['settled', { do: 'connect', who: 'phone' }],
    ['settled', SUBSCRIBE],
    ['settled', { do: 'restart', storage: false }],
    ['settled', { do: 'connect', who: 'phone' }],
    ['settled', SUBSCRIBE],
  ],
  look: {
    at: 'topics',
    text: {
      ko: '다시 켤 때마다 보존된 값과 휴대폰의 세션이 남는지 보세요.',
      en: 'After each restart, see whether the retained value and the phone’s Session are still there.',
    },
  },
  closing: {
    ko: 'QoS 1과 2는 저장을 대신하지 않아요. 브로커가 무엇을 디스크에 적는지까지 알아야 끝까지 믿을 수 있어요.',
    en: 'QoS 1 and 2 are no storage. How far a delivery can be trusted depends on what the broker writes to disk.',
  },
};
