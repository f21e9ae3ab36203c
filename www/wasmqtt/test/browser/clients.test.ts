/** MQTT.js, Paho and u8-mqtt, unchanged, in a real browser against the broker in the page. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Cuts } from './pages/clients.js';
import { Site } from './site.js';

let site: Site;
beforeAll(async () => {
  site = await Site.open('clients');
});
afterAll(() => site?.close());

const STORIES = [
  'QoS 0: q/0 x',
  'QoS 1: q/1 x',
  'QoS 2: q/2 x',
  'retained: kept 21',
  'will after a cut: will gone',
  'reconnect and resume: later a, later b',
  '5 MiB: big 5242880',
  `split: pieces/of/eight ${'x'.repeat(90)}`,
];

test.each([
  ['mqttjs', false, '3.1.1'],
  ['mqttjs', true, '5.0'],
  ['paho', false, '3.1.1'],
  ['u8', false, '3.1.1'],
  ['u8', true, '5.0'],
] as const)('%s, 5.0: %s', async (client, v5, version) => {
  const page = await site.page('clients');
  const told = await page.evaluate(([name, five]) => (globalThis as never as Pages).stories(name, five), [
    client,
    v5,
  ] as const);
  const stories = STORIES.filter((story) => client !== 'u8' || !story.startsWith('QoS 2'));
  expect(told).toEqual([`connected: ${version}`, ...stories]);
  expect(page.errors).toEqual([]);
  await page.close();
});

test('Paho finds the broker behind the global WebSocket', async () => {
  const page = await site.page('clients');
  expect(await page.evaluate(() => (globalThis as never as Pages).installed())).toBe('p');
  await page.close();
});

test.each([4, 5] as const)(
  'MQTT.js with protocol level %i comes back by itself after cuts, and nothing of QoS 1 and 2 is lost',
  async (version) => {
    const page = await site.page('clients');
    const { kept, heard } = await page.evaluate((v) => (globalThis as never as Pages).cuts(v), version);
    const sorted = (numbers: number[]) => [...new Set(numbers)].sort((a, b) => a - b);
    expect(kept.one.length + kept.two.length).toBeGreaterThan(20);
    // QoS 2: each once. QoS 1: each at least once.
    expect([...heard.two].sort((a, b) => a - b)).toEqual(sorted(heard.two));
    expect(sorted(heard.two)).toEqual(expect.arrayContaining(kept.two));
    expect(sorted(heard.one)).toEqual(expect.arrayContaining(kept.one));
    expect(page.errors).toEqual([]);
    await page.close();
  },
);

interface Pages {
  cuts(version: 4 | 5): Promise<Cuts>;
  stories(client: string, v5: boolean): Promise<string[]>;
  installed(): Promise<string>;
}
