import { device, house, WILL, WILL_PAYLOAD, WILL_TOPIC } from './house';
import { type Lesson, told } from './lesson';
import { type Atom, type Check, s } from './stage';

const WILL_TOLD = told('phone', WILL_TOPIC, { payload: WILL_PAYLOAD });
const PING: Atom = { delivered: { from: 'kitchen', packet: 'PINGREQ' } };
const CHOSEN: Atom = { command: { do: 'connect', who: 'kitchen', by: 'user' } };
const SILENT: Atom = { command: { do: 'half_open', who: 'kitchen', by: 'user' } };
const IN_TIME: Check = { within: { of: WILL_TOLD, after: SILENT, ms: 15_000 } };
// Whether it has come by now or not.
const TOO_LATE: Check = {
  any: [
    { quiet: { of: WILL_TOLD, after: SILENT, ms: 15_001 } },
    { all: [{ before: [SILENT, WILL_TOLD] }, { not: IN_TIME }] },
  ],
};
// Eight a minute are one every 7.5 s.
const TOO_OFTEN: Check = { within: { of: PING, after: PING, ms: 7_499 } };

// kitchen → broker  CONNECT Keep Alive 8;  CONNACK;  PINGREQ every 8 s, PINGRESP each
// the link is half-open: PINGREQ goes out and is lost, no end learns anything
// 12 s after the last PINGREQ that arrived, the broker closes the connection as if the network had failed
// broker → phone    PUBLISH home/kitchen/will "kitchen network is dead!"
export const keepAlive: Lesson = {
  id: 'keep-alive',
  number: 14,
  minutes: 5,
  title: { ko: '연결 유지', en: 'Keep Alive' },
  story: {
    ko: '공유기가 조용히 꺼졌어요. 선이 끊겼다는 신호는 아무에게도 가지 않아요. 이렇게 반쯤 열린 연결(half-open connection)에서 브로커는 침묵으로만 눈치챌 수 있어요. 그 기준이 연결 유지(Keep Alive) 시간이에요.',
    en: 'The router went off without a word, and nobody is told that the link is gone. On such a half-open connection the broker can only notice the silence. How long it listens is set by Keep Alive.',
  },
  question: {
    ask: {
      ko: 'Keep Alive가 60초예요. 마지막 패킷이 온 뒤 얼마나 조용하면 브로커가 연결을 닫을까요?',
      en: 'Keep Alive is 60 seconds. How long after the last packet does the broker close a silent connection?',
    },
    options: [
      { id: '60', text: { ko: '60초', en: '60 seconds' } },
      { id: '90', text: { ko: '90초', en: '90 seconds' } },
      { id: 'never', text: { ko: '닫지 않아요', en: 'Never' } },
    ],
    right: '90',
    why: {
      ko: '브로커는 Keep Alive의 한 배 반을 기다려요. 늦게 오는 PINGREQ에 여유를 주는 거예요.',
      en: 'It waits one and a half times the Keep Alive, so that a late PINGREQ does no harm.',
    },
  },
  goal: {
    ko: '센서의 Keep Alive를 골라 연결하세요. PINGREQ는 1분에 여덟 번을 넘지 않아야 하고, 연결이 조용히 끊기면 15초 안에 유언(Will)이 휴대폰에 와야 해요.',
    en: 'Choose the sensor’s Keep Alive and connect it: at most eight PINGREQ a minute, and the Will at the phone within 15 seconds after the link goes silent.',
  },
  actions: [
    {
      label: { ko: '센서: 연결하기', en: 'Sensor: connect' },
      commands: [{ do: 'connect', who: 'kitchen', keep_alive_s: 60 }],
      edit: ['keep_alive_s'],
    },
    {
      label: { ko: '공유기를 조용히 끄기', en: 'Switch the router off' },
      commands: [{ do: 'half_open', who: 'kitchen', toward: 'both' }],
    },
    { label: { ko: '공유기를 다시 켜기', en: 'Switch the router on' }, commands: [{ do: 'heal', who: 'kitchen' }] },
  ],
  scenario: house({
    clients: [
      device('kitchen', { will: WILL, link: { latency_ms: 100, jitter_ms: 0, bytes_per_s: 0 } }),
      device('phone', { link: { latency_ms: 100, jitter_ms: 0, bytes_per_s: 0 } }),
    ],
    script: [
      [0, { do: 'connect', who: 'phone' }],
      [s(1), { do: 'subscribe', who: 'phone', filter: WILL_TOPIC, qos: 0 }],
    ],
    begin: s(2),
    view: 'ladder',
  }),
  check: {
    since: {
      last: CHOSEN,
      check: {
        all: [{ count: { of: PING, min: 2 } }, { not: TOO_OFTEN }, IN_TIME],
      },
    },
  },
  hints: [
    {
      ko: '두 조건은 서로 반대로 당겨요. 짧으면 PINGREQ가 잦고, 길면 유언이 늦어요.',
      en: 'The two demands pull apart: a short time means many PINGREQ, a long one a late Will.',
    },
    { ko: '60 ÷ 8은 7.5초, 15 ÷ 1.5는 10초예요.', en: '60 ÷ 8 is 7.5 seconds, 15 ÷ 1.5 is 10 seconds.' },
    {
      ko: 'Keep Alive를 8이나 9로 연결하고, PINGREQ를 두 번 넘게 본 다음 공유기를 끄세요.',
      en: 'Connect with Keep Alive 8 or 9, wait for two PINGREQ or more, then switch the router off.',
    },
  ],
  traps: [
    {
      when: { since: { last: CHOSEN, check: TOO_OFTEN } },
      say: {
        ko: 'PINGREQ가 1분에 여덟 번보다 잦아요. 다시 연결하면서 시간을 늘리세요.',
        en: 'That is more than eight PINGREQ a minute. Connect again with a longer time.',
      },
    },
    {
      when: { since: { last: CHOSEN, check: TOO_LATE } },
      say: {
        ko: '15초가 지났는데 유언이 안 왔어요. 브로커는 Keep Alive의 1.5배를 기다려요. 공유기를 켜고 더 짧게 다시 연결하세요.',
        en: '15 seconds have passed without the Will: the broker waits 1.5 times the Keep Alive. Switch the router on and connect with a shorter one.',
      },
    },
    {
      when: { command: { do: 'connect', who: 'kitchen', by: 'user', keep_alive_s: 0 } },
      say: {
        ko: '0은 Keep Alive를 끈다는 뜻이에요. 그러면 브로커는 영영 눈치채지 못해요.',
        en: '0 turns Keep Alive off: then the broker may never notice.',
      },
    },
    {
      when: {
        since: { last: CHOSEN, check: { all: [{ count: { of: PING, max: 1 } }, IN_TIME] } },
      },
      say: {
        ko: '유언은 왔지만 PINGREQ를 두 번 보기 전에 껐어요. 조금 더 지켜본 뒤에 꺼 보세요.',
        en: 'The Will came, but you switched off before two PINGREQ were seen. Watch a little longer first.',
      },
    },
    {
      when: { since: { last: CHOSEN, check: { command: { do: 'cut', who: 'kitchen' } } } },
      say: {
        ko: '그냥 끊으면 양쪽이 바로 알아서 Keep Alive가 할 일이 없어요. 다시 연결하고 공유기를 조용히 끄세요.',
        en: 'With a plain cut both ends know at once, and Keep Alive has nothing to do. Connect again and switch the router off.',
      },
    },
  ],
  sections: [
    {
      v5: '3.1.2.10',
      v311: '3.1.2.10',
      says: {
        ko: '브로커는 Keep Alive의 1.5배 동안 아무 패킷도 받지 못하면 네트워크가 끊긴 것처럼 연결을 닫아야 해요.',
        en: 'Without any packet for one and a half times the Keep Alive, the broker must close the connection as if the network had failed.',
      },
    },
    {
      v5: '3.12',
      v311: '3.12',
      says: {
        ko: '다른 패킷을 보낼 일이 없으면 클라이언트는 PINGREQ로 살아 있음을 알려요.',
        en: 'With nothing else to send, a client shows with PINGREQ that it is alive.',
      },
    },
  ],
  solution: [
    ['settled', { do: 'connect', who: 'kitchen', keep_alive_s: 8 }],
    [s(40), { do: 'half_open', who: 'kitchen', toward: 'both' }],
  ],
  look: {
    at: 'session',
    text: {
      ko: '센서의 Keep Alive 눈금이 1.5배 표시까지 차오르는 것을 보세요.',
      en: 'Watch the sensor’s Keep Alive gauge fill up to the mark at 1.5.',
    },
  },
  closing: {
    ko: '브로커가 보내는 패킷은 세지 않아요. 클라이언트에게서 온 패킷만 살아 있다는 증거예요.',
    en: 'What the broker sends doesn’t count. Only packets from the client show that it is alive.',
  },
};
