/** MQTT.js, Paho and u8-mqtt, unchanged, in a real browser against the broker in the page. */
import { expect, test } from 'vitest';
import { bundle, openPage, serve, withContext } from './harness.js';

const origin = await serve(await bundle('clients'));
const context = await withContext();

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
  const page = await openPage(context, `${origin}/clients.html`);
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
  const page = await openPage(context, `${origin}/clients.html`);
  expect(await page.evaluate(() => (globalThis as never as Pages).installed())).toBe('p');
  await page.close();
});

interface Pages {
  stories(client: string, v5: boolean): Promise<string[]>;
  installed(): Promise<string>;
}
