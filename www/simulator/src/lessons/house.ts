// The house in which the lessons play: the devices of the introduction, the same in every lesson, and its topics.

import type { BrokerOptions, Client, Scenario } from './stage';

export const TEMPERATURE = 'home/kitchen/temperature';
export const HUMIDITY = 'home/kitchen/humidity';
export const WILL_TOPIC = 'home/kitchen/will';
export const WILL_PAYLOAD = 'kitchen network is dead!';

const DEVICES = {
  kitchen: { name: { ko: '주방 센서', en: 'kitchen sensor' }, icon: 'sensor' },
  restroom: { name: { ko: '화장실 센서', en: 'restroom sensor' }, icon: 'sensor' },
  office: { name: { ko: '사무실 센서', en: 'office sensor' }, icon: 'sensor' },
  phone: { name: { ko: '휴대폰', en: 'phone' }, icon: 'phone' },
  tablet: { name: { ko: '태블릿', en: 'tablet' }, icon: 'phone' },
  dashboard: { name: { ko: '현황판', en: 'dashboard' }, icon: 'dashboard' },
  server: { name: { ko: '기록 서버', en: 'logging server' }, icon: 'server' },
} as const;

export type Device = keyof typeof DEVICES;

/** A device that speaks 5.0, starts clean and has a calm link; `more` says what is different this time. */
export function device(id: Device, more: Partial<Client> = {}): Client {
  return {
    id,
    ...DEVICES[id],
    version: '5.0',
    clean_start: true,
    keep_alive_s: 60,
    session_expiry_s: 0,
    receive_maximum: 65535,
    ack: 'auto',
    link: { latency_ms: 300, jitter_ms: 0, bytes_per_s: 0 },
    ...more,
  };
}

/** What makes a Session outlive its connection by an hour. */
export const KEEPS_SESSION = { clean_start: false, session_expiry_s: 3600 } as const;

/** The Will of the introduction. */
export const WILL = { topic: WILL_TOPIC, payload: WILL_PAYLOAD, qos: 0, retain: false, delay_s: 0 } as const;

/** A scenario around a broker that stores and has the usual limits. */
export function house(
  scenario: Omit<Scenario, 'v' | 'seed' | 'broker'>,
  broker: Partial<BrokerOptions> = {},
): Scenario {
  return {
    v: 1,
    seed: 7,
    broker: { storage: true, receive_maximum: 20, maximum_qos: 2, queue_messages_max: 100, sys: false, ...broker },
    ...scenario,
  };
}
