import { device, house } from './house';
import type { Lesson } from './lesson';
import { s } from './stage';

const ID = 'sensor-1';

// script   kitchen → broker CONNECT sensor-1;  a second later restroom → broker CONNECT sensor-1
//          broker → kitchen DISCONNECT 0x8E, closed; three seconds later kitchen CONNECTs: broker → restroom DISCONNECT 0x8E …
// learner  restroom disconnects, and connects as sensor-2: both stay
export const oneId: Lesson = {
  id: 'one-id',
  number: 17,
  minutes: 5,
  title: { ko: '이름 하나에 둘', en: 'One name, two clients' },
  story: {
    ko: '화장실 센서를 새로 달면서 주방 센서의 설정을 그대로 복사했어요. 그 뒤로 둘 다 몇 초마다 끊겼다 붙었다 해요. 네트워크는 멀쩡하고요. 잠시 재생해서 보세요.',
    en: 'The restroom sensor is new; its settings were copied from the kitchen sensor’s. Since then both drop off and come back every few seconds, though the network is fine. Play for a while and watch.',
  },
  question: {
    ask: {
      ko: '이미 연결된 것과 같은 클라이언트 식별자(Client Identifier)로 다른 기기가 연결하면 어떻게 될까요?',
      en: 'Another device connects with the Client Identifier of one that is connected. What happens?',
    },
    options: [
      { id: 'refused', text: { ko: '나중에 온 쪽이 거절돼요', en: 'The newcomer is refused' } },
      { id: 'both', text: { ko: '둘 다 연결된 채로 있어요', en: 'Both stay connected' } },
      { id: 'old', text: { ko: '먼저 있던 쪽이 끊겨요', en: 'The one that was there is disconnected' } },
    ],
    right: 'old',
    why: {
      ko: '브로커는 같은 클라이언트가 다시 온 줄 알아요. 그래서 옛 연결을 닫고 새 연결에 넘겨줘요(takeover).',
      en: 'The broker takes it for the same client coming back: it closes the old connection, and the new one takes over.',
    },
  },
  goal: {
    ko: '두 센서가 서로 밀어내는 고리를 로그에서 찾고, 둘 중 하나의 식별자를 고쳐서 10초 동안 아무도 끊기지 않게 하세요.',
    en: 'Find in the log the loop in which the sensors push each other out, and change one identifier so that for 10 seconds nobody is disconnected.',
  },
  actions: [
    {
      label: { ko: '화장실: DISCONNECT', en: 'Restroom: DISCONNECT' },
      commands: [{ do: 'disconnect', who: 'restroom' }],
    },
    {
      label: { ko: '화장실: 연결하기', en: 'Restroom: connect' },
      commands: [{ do: 'connect', who: 'restroom', client_identifier: ID }],
      edit: ['client_identifier'],
    },
  ],
  scenario: house({
    clients: [
      device('kitchen', { client_identifier: ID, reconnect_s: 3 }),
      device('restroom', { client_identifier: ID, reconnect_s: 3 }),
    ],
    script: [
      [0, { do: 'connect', who: 'kitchen' }],
      [s(1), { do: 'connect', who: 'restroom' }],
    ],
    view: 'ladder',
  }),
  check: {
    all: [
      { state: { who: 'kitchen', connected: true } },
      { state: { who: 'restroom', connected: true } },
      {
        quiet: {
          of: { sent: { packet: 'DISCONNECT', reason: 0x8e } },
          after: { command: { do: 'connect', by: 'user' } },
          ms: 10_000,
        },
      },
    ],
  },
  hints: [
    {
      ko: '끊기기 직전에 센서가 받은 패킷을 보세요. 이유 코드가 적혀 있어요.',
      en: 'Look at the packet that a sensor gets just before it drops: it carries a Reason Code.',
    },
    {
      ko: '두 센서의 CONNECT를 나란히 보세요. 같으면 안 되는 칸이 같아요.',
      en: 'Compare the CONNECT packets of both. One field is equal that must not be.',
    },
    {
      ko: '화장실 센서를 DISCONNECT로 멈춘 다음, 식별자를 `sensor-2`로 바꿔 연결하고 10초 넘게 재생하세요.',
      en: 'Stop the restroom sensor with DISCONNECT, connect it as `sensor-2`, and play for more than ten seconds.',
    },
  ],
  traps: [
    {
      when: {
        since: {
          last: { command: { do: 'connect', by: 'user' } },
          check: { sent: { packet: 'DISCONNECT', reason: 0x8e } },
        },
      },
      say: {
        ko: '아직 같은 식별자예요. 연결할 때 다른 이름으로 바꾸세요.',
        en: 'Still the same identifier. Connect with another one.',
      },
    },
    {
      when: { refused: { do: 'connect', why: 'connected' } },
      say: {
        ko: '화장실 센서가 아직 연결되어 있어요. 먼저 DISCONNECT로 멈추세요.',
        en: 'The restroom sensor is connected at the moment. Stop it with DISCONNECT first.',
      },
    },
    {
      when: {
        all: [
          { command: { do: 'disconnect', who: 'restroom', by: 'user' } },
          {
            quiet: {
              of: { command: { do: 'connect', who: 'restroom', by: 'user' } },
              after: { command: { do: 'disconnect', who: 'restroom', by: 'user' } },
              ms: 8000,
            },
          },
        ],
      },
      say: {
        ko: '조용해지긴 했지만 화장실 센서가 없어요. 둘 다 연결되어야 해요.',
        en: 'Quiet, but without the restroom sensor. Both must be connected.',
      },
    },
  ],
  sections: [
    {
      v5: '3.1.4',
      v311: '3.1.4',
      says: {
        ko: '이미 연결된 클라이언트의 식별자로 연결이 오면 브로커는 있던 연결을 끊어야 해요. 5.0은 이유 코드 0x8E를 보내요.',
        en: 'If the identifier belongs to a connected client, the broker must disconnect that one; 5.0 tells it Reason Code 0x8E.',
      },
    },
    {
      v5: '3.1.3.1',
      v311: '3.1.3.1',
      says: {
        ko: '클라이언트마다 고유한 식별자를 가져야 하고, 브로커는 그것으로 세션을 찾아요.',
        en: 'Each client has a unique identifier, by which the broker finds its Session.',
      },
    },
  ],
  solution: [
    [s(22), { do: 'disconnect', who: 'restroom' }],
    [s(24), { do: 'connect', who: 'restroom', client_identifier: 'sensor-2' }],
  ],
  look: {
    at: 'log',
    text: {
      ko: '로그에서 `0x8E`를 찾아 앞뒤를 읽어 보세요. 같은 몇 줄이 되풀이돼요.',
      en: 'Find `0x8E` in the log and read around it: the same few lines, over and over.',
    },
  },
  closing: {
    ko: '3.1.1이라면 이유도 없이 끊겨요. 연결이 일정한 간격으로 끊기면 식별자가 겹치는지부터 의심하세요.',
    en: 'In 3.1.1 the connection closes without any reason. If connections drop at a steady beat, suspect a shared identifier first.',
  },
};
