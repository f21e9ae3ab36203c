// The words of MQTT as the simulator uses them. The Korean page shows both names of a term; the standard's own word is
// always the English one.

import type { Text } from '../i18n/text';

export interface Term {
  readonly id: string;
  readonly term: Text;
  readonly says: Text;
  /** Ids of terms nearby. */
  readonly see: readonly string[];
}

const term = (id: string, ko: string, en: string, says: Text, see: readonly string[] = []): Term => ({
  id,
  term: { ko, en },
  says,
  see,
});

/** In an order in which they can be read from top to bottom. */
export const TERMS: readonly Term[] = [
  term(
    'broker',
    '브로커',
    'Broker',
    {
      ko: '메시지를 받아서, 맞는 구독이 있는 클라이언트들에게 나누어 주는 서버예요. 표준에서는 그냥 서버라고 해요.',
      en: 'The server that takes messages and gives them to the clients with matching subscriptions. The standard calls it Server.',
    },
    ['client', 'subscription'],
  ),
  term(
    'client',
    '클라이언트',
    'Client',
    {
      ko: '브로커에 연결하는 기기나 프로그램이에요. 하나가 발행도 하고 구독도 할 수 있어요.',
      en: 'A device or program that connects to a broker. The same one may publish and subscribe.',
    },
    ['broker', 'client-identifier'],
  ),
  term(
    'message',
    '메시지',
    'Application Message',
    {
      ko: '발행되는 것이에요. 토픽 이름, 페이로드, QoS, RETAIN으로 되어 있고 5.0에서는 속성이 더 붙어요.',
      en: 'What is published: a Topic Name, a payload, a QoS and RETAIN; in 5.0 also properties.',
    },
    ['publish', 'payload'],
  ),
  term(
    'publish',
    '발행',
    'Publish',
    {
      ko: '메시지를 어떤 토픽에 보내는 일이에요. 발행하는 것은 토픽이 아니라 메시지예요.',
      en: 'To send a message to a topic. What is published is the message, not the topic.',
    },
    ['subscribe', 'topic-name'],
  ),
  term(
    'subscribe',
    '구독하기',
    'Subscribe',
    {
      ko: '토픽 필터를 말해 두고, 앞으로 그에 맞는 메시지를 받겠다고 하는 일이에요.',
      en: 'To name a Topic Filter and ask for the messages that will match it.',
    },
    ['subscription', 'topic-filter'],
  ),
  term(
    'subscription',
    '구독',
    'Subscription',
    {
      ko: '브로커가 기억하는, 토픽 필터와 허락된 최대 QoS의 짝이에요. 세션에 속해요.',
      en: 'A Topic Filter with the highest QoS granted for it, remembered by the broker in a Session.',
    },
    ['session', 'qos'],
  ),
  term(
    'topic-name',
    '토픽 이름',
    'Topic Name',
    {
      ko: '메시지에 붙는 온전한 이름이에요. 와일드카드가 들어갈 수 없고 대소문자를 가려요.',
      en: 'The complete name that a message bears: no wildcards, and case matters.',
    },
    ['topic-level', 'topic-filter'],
  ),
  term(
    'topic-level',
    '토픽 레벨',
    'Topic Level',
    {
      ko: '토픽을 `/`로 나눈 한 칸이에요. 비어 있어도 한 칸이에요.',
      en: 'One part of a topic between `/`. An empty one counts too.',
    },
    ['topic-name'],
  ),
  term(
    'topic-filter',
    '토픽 필터',
    'Topic Filter',
    {
      ko: '어떤 토픽 이름들을 받을지 적은 것이에요. 와일드카드를 쓸 수 있어요.',
      en: 'Says which Topic Names are wanted; may contain wildcards.',
    },
    ['wildcard', 'subscription'],
  ),
  term(
    'wildcard',
    '와일드카드',
    'Wildcard',
    {
      ko: '필터에서 이름을 대신하는 글자예요. `+`는 한 레벨, `#`은 부모와 그 아래 모두예요.',
      en: 'A character in a filter that stands for names: `+` for one level, `#` for the parent and all below.',
    },
    ['topic-filter', 'sys'],
  ),
  term(
    'sys',
    '`$SYS` 토픽',
    '`$SYS` topics',
    {
      ko: '브로커가 자기 상태를 발행하는 토픽이에요. `#`이나 `+`로 시작하는 필터에는 맞지 않아요.',
      en: 'Where brokers publish their own numbers. Filters that begin with `#` or `+` don’t match them.',
    },
    ['wildcard'],
  ),
  term('payload', '페이로드', 'Payload', {
    ko: '메시지의 내용인 바이트들이에요. MQTT는 무엇이 들었는지 보지 않아요.',
    en: 'The bytes that a message carries. MQTT doesn’t look inside.',
  }),
  term(
    'qos',
    '서비스 품질',
    'QoS',
    {
      ko: '메시지를 얼마나 확실히 전할지 정해요. 0은 최대 한 번, 1은 적어도 한 번, 2는 정확히 한 번이에요. 연결이 아니라 메시지와 구독에 딸려 있어요.',
      en: 'How surely a message is delivered: 0 at most once, 1 at least once, 2 exactly once. It belongs to a message and to a Subscription, not to a connection.',
    },
    ['acknowledgement', 'retry'],
  ),
  term(
    'packet',
    '패킷',
    'Control Packet',
    {
      ko: 'MQTT가 주고받는 한 덩어리예요. CONNECT부터 AUTH까지 열다섯 가지가 있어요.',
      en: 'What MQTT sends and receives as one piece. There are fifteen kinds, from CONNECT to AUTH.',
    },
    ['packet-identifier'],
  ),
  term(
    'packet-identifier',
    '패킷 식별자',
    'Packet Identifier',
    {
      ko: 'QoS 1과 2의 메시지나 구독 요청을 그 응답과 짝짓는 번호예요. 1부터 65,535까지예요.',
      en: 'The number, 1 to 65,535, that ties a QoS 1 or 2 message or a request to its answers.',
    },
    ['in-flight'],
  ),
  term(
    'acknowledgement',
    '확인 응답',
    'Acknowledgement',
    {
      ko: '받았다고 알리는 패킷이에요. QoS 1은 PUBACK, QoS 2는 PUBREC, PUBREL, PUBCOMP를 써요.',
      en: 'A packet that says “I have it”: PUBACK for QoS 1; PUBREC, PUBREL and PUBCOMP for QoS 2.',
    },
    ['qos', 'in-flight'],
  ),
  term(
    'in-flight',
    '전송 중',
    'In flight',
    { ko: '보냈지만 아직 끝까지 확인받지 못한 상태예요.', en: 'Sent, and not acknowledged to the end yet.' },
    ['receive-maximum', 'acknowledgement'],
  ),
  term(
    'retry',
    '재전송',
    'Resending',
    {
      ko: '세션을 이어 다시 연결했을 때, 확인받지 못한 것을 처음 순서대로 다시 보내는 일이에요. 시간이 지났다고 다시 보내지는 않아요.',
      en: 'After a reconnect that resumes the Session, what is unacknowledged is sent again in its first order. Time alone makes nobody send again.',
    },
    ['dup', 'session'],
  ),
  term(
    'dup',
    '중복 표시',
    'DUP',
    {
      ko: 'PUBLISH를 다시 보내는 것임을 알리는 비트예요. 메시지가 전에 도착했다는 뜻은 아니에요.',
      en: 'The bit that marks a PUBLISH as sent again. It doesn’t say that the first one arrived.',
    },
    ['retry'],
  ),
  term(
    'connection',
    '네트워크 연결',
    'Network Connection',
    {
      ko: '바이트를 순서대로, 빠짐없이 나르는 TCP나 WebSocket 연결이에요. 세션과는 달라요.',
      en: 'The TCP or WebSocket connection that carries bytes in order and without loss. It is not the Session.',
    },
    ['session', 'half-open'],
  ),
  term(
    'session',
    '세션',
    'Session',
    {
      ko: '클라이언트에 대해 기억하는 것이에요. 구독, 기다리는 메시지, 확인받지 못한 것이 들어 있어요. 연결보다 오래 살 수 있어요.',
      en: 'What is remembered about a client: Subscriptions, waiting messages, what is unacknowledged. It may outlive connections.',
    },
    ['clean-start', 'session-expiry'],
  ),
  term(
    'clean-start',
    '새로 시작',
    'Clean Start',
    {
      ko: '1이면 있던 세션을 버리고, 0이면 이어 가요. 3.1.1의 Clean Session은 연결이 끝날 때 버릴지도 함께 정해요.',
      en: '1 discards the old Session, 0 resumes it. Clean Session in 3.1.1 also decides whether it ends with the connection.',
    },
    ['session', 'session-present'],
  ),
  term(
    'session-expiry',
    '세션 만료 간격',
    'Session Expiry Interval',
    {
      ko: '연결이 끝난 뒤 세션을 몇 초 동안 간직할지 정해요. 5.0에 있고, 0이면 연결과 함께 끝나요.',
      en: 'For how many seconds the Session stays after the connection. 5.0 only; 0 ends it with the connection.',
    },
    ['session'],
  ),
  term(
    'session-present',
    '세션 있음',
    'Session Present',
    {
      ko: 'CONNACK의 비트예요. 1이면 브로커가 세션을 갖고 있었다는 뜻이에요.',
      en: 'A bit of CONNACK: 1 if the broker had the Session.',
    },
    ['session'],
  ),
  term(
    'client-identifier',
    '클라이언트 식별자',
    'Client Identifier',
    {
      ko: '클라이언트마다 하나뿐인 이름이에요. 브로커는 이것으로 세션을 찾아요.',
      en: 'A client’s own name, by which the broker finds its Session.',
    },
    ['takeover'],
  ),
  term(
    'takeover',
    '넘겨받기',
    'Takeover',
    {
      ko: '같은 식별자로 새 연결이 오면, 있던 연결은 닫히고 세션이 새 연결로 넘어가요.',
      en: 'A new connection with the same identifier closes the old one and takes over its Session.',
    },
    ['client-identifier'],
  ),
  term(
    'keep-alive',
    '연결 유지',
    'Keep Alive',
    {
      ko: '클라이언트가 조용해도 되는 가장 긴 시간이에요. 그 1.5배 동안 아무것도 안 오면 브로커가 연결을 닫아요.',
      en: 'The longest that a client may be silent. After one and a half times as long the broker closes the connection.',
    },
    ['half-open', 'will'],
  ),
  term(
    'half-open',
    '반쯤 열린 연결',
    'Half-open connection',
    {
      ko: '한쪽이 사라졌는데 다른 쪽은 아직 모르는 연결이에요.',
      en: 'A connection of which one end is gone and the other doesn’t know.',
    },
    ['keep-alive'],
  ),
  term(
    'will',
    '유언',
    'Will Message',
    {
      ko: '연결할 때 맡겨 두는 메시지예요. 인사 없이 끊기면 브로커가 대신 발행해요.',
      en: 'A message left with the broker when connecting, which it publishes if the client goes without a goodbye.',
    },
    ['will-delay', 'keep-alive'],
  ),
  term(
    'will-delay',
    '유언 지연 간격',
    'Will Delay Interval',
    {
      ko: '유언을 그만큼 늦게 발행해요. 그 전에 돌아오면 발행하지 않아요. 5.0에 있어요.',
      en: 'Publishes the Will that much later, and not at all if the client is back before. 5.0 only.',
    },
    ['will'],
  ),
  term(
    'retained',
    '보존 메시지',
    'Retained Message',
    {
      ko: '토픽마다 하나, 마지막 값으로 간직하는 메시지예요. 새로 구독하면 바로 와요. 빈 페이로드로 지워요.',
      en: 'The last value that the broker keeps for a topic, one each, and sends to new Subscriptions. An empty payload removes it.',
    },
    ['message'],
  ),
  term(
    'receive-maximum',
    '수신 최대치',
    'Receive Maximum',
    {
      ko: '확인 전에 한꺼번에 받을 수 있는 QoS 1과 2의 메시지 수예요. 5.0에 있어요.',
      en: 'How many unacknowledged QoS 1 and 2 messages one side takes at a time. 5.0 only.',
    },
    ['in-flight'],
  ),
  term(
    'message-expiry',
    '메시지 만료 간격',
    'Message Expiry Interval',
    {
      ko: '이 시간이 지나도록 전하지 못한 메시지는 버려요. 5.0에 있어요.',
      en: 'A message not delivered within this time is dropped. 5.0 only.',
    },
    ['message'],
  ),
  term(
    'reason-code',
    '이유 코드',
    'Reason Code',
    {
      ko: '응답에 실린 결과 번호예요. 0x80부터는 실패예요. 5.0에 있어요.',
      en: 'The number in an answer that says how it went; from 0x80 on it failed. 5.0 only.',
    },
    ['packet'],
  ),
  term(
    'property',
    '속성',
    'Property',
    {
      ko: '5.0 패킷에 덧붙이는 값이에요. 만료 간격이나 콘텐츠 형식 같은 것들이에요.',
      en: 'A value added to a packet in 5.0, such as an expiry interval or a content type.',
    },
    ['user-property'],
  ),
  term(
    'user-property',
    '사용자 속성',
    'User Property',
    {
      ko: '마음대로 정하는 이름과 값의 짝이에요. 브로커는 그대로 전해요.',
      en: 'A name and a value of your own, passed on unchanged.',
    },
    ['property'],
  ),
  term(
    'topic-alias',
    '토픽 별칭',
    'Topic Alias',
    {
      ko: '긴 토픽 이름 대신 보내는 번호예요. 그 연결 안에서만 통해요. 5.0에 있어요.',
      en: 'A number sent instead of a long Topic Name, valid within one connection. 5.0 only.',
    },
    ['topic-name'],
  ),
  term(
    'shared-subscription',
    '공유 구독',
    'Shared Subscription',
    {
      ko: '여럿이 나누어 받는 구독이에요. 메시지마다 그룹의 한 구성원만 받아요.',
      en: 'A Subscription of a group: each message goes to one of its members.',
    },
    ['subscription'],
  ),
  term(
    'no-local',
    '자기 것 제외',
    'No Local',
    {
      ko: '자기가 발행한 메시지는 돌려받지 않겠다는 구독 옵션이에요. 5.0에 있어요.',
      en: 'A subscription option: none of one’s own messages. 5.0 only.',
    },
    ['subscription'],
  ),
  term(
    'subscription-identifier',
    '구독 식별자',
    'Subscription Identifier',
    {
      ko: '구독에 붙이는 번호예요. 메시지가 어느 구독으로 왔는지 알 수 있어요. 5.0에 있어요.',
      en: 'A number given to a Subscription, which comes back with its messages. 5.0 only.',
    },
    ['subscription'],
  ),
  term(
    'handshake',
    '핸드셰이크',
    'Handshake',
    {
      ko: '패킷을 여러 번 주고받아 서로 맞추는 일이에요. QoS 2는 네 번이에요.',
      en: 'An exchange of packets to agree on something. QoS 2 takes four.',
    },
    ['qos'],
  ),
  term(
    'virtual-time',
    '가상 시간',
    'Virtual time',
    {
      ko: '이 시뮬레이터의 시계예요. 멈추고 건너뛰고 되감을 수 있어요.',
      en: 'The clock of this simulator, which can stop, jump and go back.',
    },
    ['branch'],
  ),
  term(
    'branch',
    '갈래',
    'Branch',
    {
      ko: '과거로 돌아가 다르게 했을 때 새로 생기는 미래예요. 원래 것도 남아요.',
      en: 'The new future that begins when you act in the past. The old one is kept.',
    },
    ['virtual-time'],
  ),
];
