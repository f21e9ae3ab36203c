// Where the sandbox begins: the house of the introduction, in four sizes.

import type { ClientOptions, StageCommand, StageScenario } from '../../stage/types';
import { PRESETS, type Preset } from '../router';

const link = { latency_ms: 300 } as const;

const kitchen: ClientOptions = {
  id: 'kitchen',
  name: { ko: '주방 센서', en: 'kitchen sensor' },
  icon: 'sensor',
  link,
  will: { topic: 'home/kitchen/will', payload: 'kitchen network is dead!', qos: 0, retain: false, delay_s: 0 },
};
const restroom: ClientOptions = {
  id: 'restroom',
  name: { ko: '화장실 센서', en: 'restroom sensor' },
  icon: 'sensor',
  link,
};
const phone: ClientOptions = { id: 'phone', name: { ko: '휴대폰', en: 'phone' }, icon: 'phone', link };
const dashboard: ClientOptions = {
  id: 'dashboard',
  name: { ko: '현황판', en: 'dashboard' },
  icon: 'dashboard',
  link,
};

const connect = (who: string): [number, StageCommand] => [0, { do: 'connect', who }];
const subscribe = (who: string, filter: string, qos: 0 | 1 | 2 = 0): [number, StageCommand] => [
  1_000_000,
  { do: 'subscribe', who, filter, qos },
];

const SCENARIOS: Readonly<Record<Preset, StageScenario>> = {
  empty: { v: 1, seed: 1, broker: { storage: true }, clients: [], script: [], view: 'map' },
  kitchen: {
    v: 1,
    seed: 1,
    broker: { storage: true },
    clients: [kitchen, phone],
    script: [
      connect('kitchen'),
      connect('phone'),
      subscribe('phone', 'home/kitchen/temperature'),
      subscribe('phone', 'home/kitchen/will'),
    ],
    begin: 4_000_000,
    view: 'map',
  },
  home: {
    v: 1,
    seed: 1,
    broker: { storage: true },
    clients: [kitchen, restroom, phone, dashboard],
    script: [
      connect('kitchen'),
      connect('restroom'),
      connect('phone'),
      connect('dashboard'),
      subscribe('phone', 'home/+/temperature', 1),
      subscribe('dashboard', 'home/#', 2),
      [
        3_000_000,
        { do: 'publish', who: 'kitchen', topic: 'home/kitchen/temperature', payload: '21', qos: 1, retain: true },
      ],
    ],
    begin: 4_000_000,
    view: 'map',
  },
  restroom: {
    v: 1,
    seed: 1,
    broker: { storage: true },
    clients: [
      {
        ...restroom,
        keep_alive_s: 10,
        will: { topic: 'home/restroom/status', payload: 'offline', qos: 1, retain: true, delay_s: 0 },
      },
      dashboard,
      phone,
    ],
    script: [
      connect('restroom'),
      connect('dashboard'),
      subscribe('dashboard', 'home/+/status', 1),
      [
        1_500_000,
        { do: 'publish', who: 'restroom', topic: 'home/restroom/status', payload: 'online', qos: 1, retain: true },
      ],
    ],
    begin: 4_000_000,
    view: 'map',
  },
};

export function presetOf(name: string): Preset | null {
  return PRESETS.find((preset) => preset === name) ?? null;
}

export function presetScenario(preset: Preset): StageScenario {
  return SCENARIOS[preset];
}
