// Finding texts in data, for the tests of language.

import type { Text } from '../src/i18n/text';

/** Every text in a piece of data with the path to it. */
export function texts(value: unknown, path = ''): [string, Text][] {
  if (typeof value !== 'object' || value === null) return [];
  if ('ko' in value || 'en' in value) return [[path, value as Text]];
  return Object.entries(value).flatMap(([key, one]) => texts(one, `${path}.${key}`));
}

/** Every string in a catalogue; functions are called with something that can stand for every argument. */
export function strings(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function') return [[`${path}()`, String(value(SAMPLE, SAMPLE, SAMPLE, SAMPLE))]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => strings(one, `${path}.${key}`));
}

/** A string with the fields of all facts. */
const SAMPLE = Object.assign(new String('21'), {
  from: 'phone',
  to: null,
  packet: 'PUBLISH',
  client: 'phone',
  topic: 'home/kitchen/temperature',
  payload: '21',
  filter: 'home/+/humidity',
  level: 3,
  qos: 1,
  id: 7,
  dup: true,
  retain: true,
  retained: true,
  sessionPresent: true,
  reason: 0x8e,
  where: 'clients[1]',
  found: '3',
  allowed: '0, 1, 2',
  hex: 'c000',
  at: 'half_way',
  option: 'b',
  storage: true,
  with_will: true,
});
