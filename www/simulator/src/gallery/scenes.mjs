// The scenarios behind the Gallery. What is shown of them is what the Stage answers; here is only what happens.

const s = (seconds) => Math.round(seconds * 1e6);

const PEOPLE = {
  kitchen: { name: { ko: '주방 센서', en: 'kitchen sensor' }, icon: 'sensor' },
  restroom: { name: { ko: '화장실 센서', en: 'restroom sensor' }, icon: 'sensor' },
  office: { name: { ko: '사무실 센서', en: 'office sensor' }, icon: 'sensor' },
  phone: { name: { ko: '휴대폰', en: 'phone' }, icon: 'phone' },
  tablet: { name: { ko: '태블릿', en: 'tablet' }, icon: 'phone' },
  dashboard: { name: { ko: '현황판', en: 'dashboard' }, icon: 'dashboard' },
  server: { name: { ko: '기록 서버', en: 'logging server' }, icon: 'server' },
};

const client = (id, more = {}) => ({ id, ...PEOPLE[id], link: { latency_ms: 300 }, ...more });
const TEMPERATURE = 'home/kitchen/temperature';
const HUMIDITY = 'home/kitchen/humidity';
const WILL = { topic: 'home/kitchen/will', payload: 'kitchen network is dead!', qos: 1, retain: true };
const KEEPS = { clean_start: false, session_expiry_s: 3600 };

const connects = (...ids) => ids.map((who) => [0, { do: 'connect', who }]);
const publish = (at, who, topic, payload, qos = 0, more = {}) => [
  s(at),
  { do: 'publish', who, topic, payload, qos, ...more },
];
const subscribe = (at, who, filter, qos = 0) => [s(at), { do: 'subscribe', who, filter, qos }];

const isSent =
  (type, more = () => true) =>
  (entry) =>
    entry.sent?.type === type && more(entry.sent);

/** Nothing has happened. */
const empty = {
  id: 'empty',
  scenario: { v: 1, clients: [client('kitchen'), client('phone')] },
  until: 0,
  filters: ['home/+/temperature'],
};

/** One message on its way. */
const first = {
  id: 'first',
  scenario: {
    v: 1,
    clients: [client('kitchen'), client('phone')],
    script: [
      ...connects('kitchen', 'phone'),
      subscribe(1, 'phone', TEMPERATURE),
      publish(2, 'kitchen', TEMPERATURE, '21'),
    ],
  },
  until: s(4),
  back: s(2.18),
  ask: { packet: isSent('CONNACK') },
};

/** The three QoS, each to its end. */
const qos = {
  id: 'qos',
  scenario: {
    v: 1,
    clients: [client('kitchen'), client('phone')],
    script: [
      ...connects('kitchen', 'phone'),
      subscribe(1, 'phone', 'home/#', 2),
      publish(2, 'kitchen', TEMPERATURE, '21', 0),
      publish(3, 'kitchen', TEMPERATURE, '22', 1),
      publish(5, 'kitchen', TEMPERATURE, '23', 2),
    ],
  },
  until: s(8),
  ask: {
    connect: isSent('CONNECT'),
    publish: isSent('PUBLISH', ({ qos: level, toward }) => level === 2 && toward === 'broker'),
    delivery: isSent('PUBLISH', ({ qos: level, toward }) => level === 1 && toward === 'client'),
    subscribe: isSent('SUBSCRIBE'),
    puback: isSent('PUBACK'),
  },
};

/** A message lost, one sent again, one that waits; a cut, a silence, a standstill, a Will, a new beginning. */
const faults = {
  id: 'faults',
  scenario: {
    v: 1,
    clients: [
      client('kitchen', { will: WILL, keep_alive_s: 10 }),
      client('phone', { ...KEEPS, reconnect_s: 2 }),
      client('dashboard'),
    ],
    script: [
      ...connects('kitchen', 'phone', 'dashboard'),
      subscribe(1, 'phone', 'home/#', 1),
      subscribe(1, 'dashboard', 'home/+/temperature', 0),
      [s(1.5), { do: 'cut_when', who: 'phone', packet: 'PUBLISH', toward: 'client', nth: 1, at: 'half_way' }],
      publish(2, 'kitchen', TEMPERATURE, '21', 1),
      publish(3, 'kitchen', HUMIDITY, '40', 1),
      [s(6), { do: 'freeze', who: 'dashboard' }],
      publish(6.5, 'kitchen', TEMPERATURE, '22', 0, { retain: true }),
      [s(8), { do: 'thaw', who: 'dashboard' }],
      [s(9), { do: 'half_open', who: 'kitchen', toward: 'broker' }],
      publish(9.5, 'kitchen', TEMPERATURE, '23', 1),
      [s(40), { do: 'heal', who: 'kitchen' }],
      [s(41), { do: 'restart', storage: true }],
      [s(45), { do: 'connect', who: 'kitchen' }],
      [s(45), { do: 'connect', who: 'dashboard' }],
    ],
  },
  until: s(48),
  ask: {
    lost: (entry) => entry.lost?.type === 'PUBLISH',
    again: isSent('PUBLISH', ({ dup }) => dup),
    will: isSent('PUBLISH', ({ topic, toward }) => topic === WILL.topic && toward === 'client'),
    silent: isSent('PUBLISH', ({ payload, toward }) => payload === '23' && toward === 'broker'),
  },
};

/** Seven clients, with everything that the Map can show of one at the same time. */
const home = {
  id: 'home',
  scenario: {
    v: 1,
    broker: { queue_messages_max: 3 },
    clients: [
      client('kitchen', { will: WILL }),
      client('restroom', { version: '3.1.1', keep_alive_s: 0 }),
      client('office', { link: { latency_ms: 900 } }),
      client('phone', { ...KEEPS, receive_maximum: 4, ack: 'manual' }),
      client('tablet', { ...KEEPS }),
      client('dashboard'),
      client('server'),
    ],
    script: [
      ...connects('kitchen', 'restroom', 'office', 'phone', 'tablet', 'dashboard'),
      subscribe(1, 'phone', 'home/+/temperature', 2),
      subscribe(1, 'phone', 'home/#', 0),
      subscribe(1, 'tablet', 'home/kitchen/#', 1),
      subscribe(1, 'dashboard', 'home/#', 0),
      [s(2.5), { do: 'subscribe', who: 'office', filter: 'home/office/#', qos: 1, no_local: true, identifier: 7 }],
      [s(3), { do: 'disconnect', who: 'tablet' }],
      publish(4, 'kitchen', TEMPERATURE, '21', 1, { retain: true }),
      publish(4.5, 'kitchen', HUMIDITY, '40', 0, { retain: true }),
      publish(5, 'restroom', 'home/restroom/temperature', '19', 2),
      publish(5.2, 'office', 'home/office/temperature', '24', 1, { expiry_s: 90 }),
      publish(5.4, 'kitchen', 'home//temperature', '20', 0),
      publish(5.6, 'kitchen', 'Home/kitchen/temperature', '20', 0),
      publish(6, 'kitchen', TEMPERATURE, '22', 1),
      publish(6.5, 'kitchen', TEMPERATURE, '23', 1),
      publish(7, 'kitchen', TEMPERATURE, '24', 1),
      [s(8), { do: 'half_open', who: 'restroom', toward: 'both' }],
      [s(8), { do: 'freeze', who: 'dashboard' }],
      [s(8.2), { do: 'cut_when', who: 'office', packet: 'PUBACK', toward: 'client', nth: 1, at: 'half_way' }],
      [s(8.4), { do: 'connect', who: 'server' }],
      publish(8.5, 'office', 'home/office/temperature', '25', 1),
      publish(8.6, 'restroom', 'home/restroom/temperature', '18', 1),
      publish(8.7, 'kitchen', TEMPERATURE, '25', 2),
      publish(8.8, 'kitchen', HUMIDITY, '41', 0),
      publish(8.85, 'kitchen', TEMPERATURE, '', 0, { retain: true }),
    ],
  },
  until: s(8.95),
  ask: {
    why: (entry) => entry.decision?.is === 'published' && entry.decision.topic === TEMPERATURE && entry.at < s(6),
    full: (entry) => entry.decision?.is === 'published' && entry.decision.topic === TEMPERATURE && entry.at < s(8),
    miss: (entry) => entry.decision?.is === 'published' && entry.decision.topic === 'Home/kitchen/temperature',
    onWay: isSent('PUBLISH', ({ payload, who }) => payload === '25' && who === 'kitchen'),
  },
  filters: ['home/+/temperature', 'home/#', 'home/#/x', '#', '$share/group/home/+/humidity', ''],
};

/** The same cut with QoS 0 and with QoS 1. */
const branches = {
  id: 'branches',
  scenario: {
    v: 1,
    clients: [client('kitchen', { ...KEEPS, reconnect_s: 1 }), client('phone')],
    script: [
      ...connects('kitchen', 'phone'),
      subscribe(1, 'phone', TEMPERATURE, 1),
      [s(1.8), { do: 'cut_when', who: 'kitchen', packet: 'PUBLISH', toward: 'broker', nth: 1, at: 'half_way' }],
    ],
  },
  deeds: [[s(2), { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21', qos: 0 }]],
  fork: { at: s(1.95), command: { do: 'publish', who: 'kitchen', topic: TEMPERATURE, payload: '21', qos: 1 } },
  until: s(6),
};

/** A Will that waits for its delay, and a Session that waits for its end. */
const away = {
  id: 'away',
  scenario: {
    v: 1,
    clients: [
      client('kitchen', { ...KEEPS, session_expiry_s: 60, will: { ...WILL, delay_s: 20 }, reconnect_s: 30 }),
      client('phone', { version: '3.1.1', clean_start: false }),
    ],
    script: [
      ...connects('kitchen', 'phone'),
      subscribe(1, 'kitchen', 'home/+/set', 2),
      subscribe(1, 'phone', 'home/kitchen/will', 1),
      [s(3), { do: 'cut', who: 'kitchen' }],
      publish(4, 'phone', 'home/kitchen/set', '19', 2),
      publish(5, 'phone', 'home/office/set', '20', 1),
    ],
  },
  until: s(9),
};

export const SCENES = [empty, first, qos, faults, home, branches, away];

/** Two hundred clients and ten thousand entries, for the figures. */
export const CROWD = {
  v: 1,
  clients: Array.from({ length: 200 }, (_, index) => ({
    id: `c${index}`,
    name: { ko: `센서 ${index}`, en: `sensor ${index}` },
    icon: index % 5 === 0 ? 'phone' : 'sensor',
    link: { latency_ms: 100 + (index % 7) * 30 },
  })),
  script: Array.from({ length: 200 }, (_, index) => [
    [s(index * 0.01), { do: 'connect', who: `c${index}` }],
    ...(index % 5 === 0 ? [subscribe(3 + index * 0.005, `c${index}`, `home/${index % 20}/#`, index % 3)] : []),
    ...Array.from({ length: 5 }, (__, turn) =>
      publish(
        5 + turn * 4 + index * 0.013,
        `c${index}`,
        `home/${(index + turn) % 20}/temperature`,
        `${turn}`,
        turn % 3,
      ),
    ),
  ]).flat(),
};

/** The same number of entries among three clients: a very long Ladder. */
export const FEW = {
  v: 1,
  clients: [client('kitchen'), client('phone'), client('dashboard')],
  script: [
    ...connects('kitchen', 'phone', 'dashboard'),
    subscribe(1, 'phone', 'home/#', 2),
    subscribe(1, 'dashboard', 'home/#', 1),
    ...Array.from({ length: 600 }, (_, turn) => publish(2 + turn * 0.25, 'kitchen', TEMPERATURE, `${turn}`, turn % 3)),
  ],
};
