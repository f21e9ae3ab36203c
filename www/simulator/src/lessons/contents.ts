// The table of contents: what the start page shows of a lesson before anybody opens it. Each lesson is a chunk of its own.

import type { Text } from '../i18n/text';
import type { Lesson } from './lesson';

export interface Entry {
  readonly id: string;
  readonly number: number;
  readonly minutes: number;
  readonly title: Text;
  readonly load: () => Promise<Lesson>;
}

export const CONTENTS: readonly Entry[] = [
  {
    id: 'first-message',
    number: 1,
    minutes: 3,
    title: { ko: '첫 메시지', en: 'First message' },
    load: async () => (await import('./01-first-message')).firstMessage,
  },
  {
    id: 'nobody-knows',
    number: 2,
    minutes: 4,
    title: { ko: '서로 모르는 사이', en: 'Nobody knows anybody' },
    load: async () => (await import('./02-nobody-knows')).nobodyKnows,
  },
  {
    id: 'topics-are-paths',
    number: 3,
    minutes: 4,
    title: { ko: '토픽은 경로', en: 'Topics are paths' },
    load: async () => (await import('./03-topics-are-paths')).topicsArePaths,
  },
  {
    id: 'one-level',
    number: 4,
    minutes: 4,
    title: { ko: '`+`는 한 레벨', en: '`+` is one level' },
    load: async () => (await import('./04-one-level')).oneLevel,
  },
  {
    id: 'the-rest',
    number: 5,
    minutes: 5,
    title: { ko: '`#`은 나머지 모두', en: '`#` is all the rest' },
    load: async () => (await import('./05-the-rest')).theRest,
  },
  {
    id: 'dollar',
    number: 6,
    minutes: 3,
    title: { ko: '`$`로 시작하는 토픽', en: 'Topics that begin with `$`' },
    load: async () => (await import('./06-dollar')).dollar,
  },
  {
    id: 'qos-0',
    number: 7,
    minutes: 4,
    title: { ko: 'QoS 0: 보내고 잊기', en: 'QoS 0: send and forget' },
    load: async () => (await import('./07-qos-0')).qos0,
  },
  {
    id: 'qos-1',
    number: 8,
    minutes: 5,
    title: { ko: 'QoS 1: 적어도 한 번', en: 'QoS 1: at least once' },
    load: async () => (await import('./08-qos-1')).qos1,
  },
  {
    id: 'qos-2',
    number: 9,
    minutes: 5,
    title: { ko: 'QoS 2: 정확히 한 번', en: 'QoS 2: exactly once' },
    load: async () => (await import('./09-qos-2')).qos2,
  },
  {
    id: 'no-packet-loss',
    number: 10,
    minutes: 4,
    title: { ko: '패킷 손실이 없는 이유', en: 'Why there is no “packet loss”' },
    load: async () => (await import('./10-no-packet-loss')).noPacketLoss,
  },
  {
    id: 'two-hops',
    number: 11,
    minutes: 4,
    title: { ko: '두 구간', en: 'Two hops' },
    load: async () => (await import('./11-two-hops')).twoHops,
  },
  {
    id: 'retained',
    number: 12,
    minutes: 5,
    title: { ko: '보존 메시지', en: 'Retained Messages' },
    load: async () => (await import('./12-retained')).retained,
  },
  {
    id: 'last-will',
    number: 13,
    minutes: 4,
    title: { ko: '유언', en: 'Last Will' },
    load: async () => (await import('./13-last-will')).lastWill,
  },
  {
    id: 'keep-alive',
    number: 14,
    minutes: 5,
    title: { ko: '연결 유지', en: 'Keep Alive' },
    load: async () => (await import('./14-keep-alive')).keepAlive,
  },
  {
    id: 'presence',
    number: 15,
    minutes: 5,
    title: { ko: '누가 있나요?', en: 'Who is there?' },
    load: async () => (await import('./15-presence')).presence,
  },
  {
    id: 'sessions',
    number: 16,
    minutes: 6,
    title: { ko: '자는 동안 온 메시지', en: 'While you were asleep' },
    load: async () => (await import('./16-sessions')).sessions,
  },
  {
    id: 'one-id',
    number: 17,
    minutes: 5,
    title: { ko: '이름 하나에 둘', en: 'One name, two clients' },
    load: async () => (await import('./17-one-id')).oneId,
  },
  {
    id: 'in-flight',
    number: 18,
    minutes: 5,
    title: { ko: '패킷 번호와 순서', en: 'Packet ids and order' },
    load: async () => (await import('./18-in-flight')).inFlight,
  },
  {
    id: 'restart',
    number: 19,
    minutes: 6,
    title: { ko: '브로커가 다시 켜지면', en: 'When the broker restarts' },
    load: async () => (await import('./19-restart')).restart,
  },
];
