/** Rule 12 in a real browser: frames and workers over ports, and what becomes of their clients when they die. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Site } from './site.js';

interface Pages {
  begin(): Promise<void>;
  frame(name: string, sandbox: boolean): Promise<void>;
  worker(name: string): void;
  told(): string[];
  publish(topic: string, bytes: number): void;
}

/** The default of a port: whoever misses three is gone at the fourth. */
const HEARTBEAT_MS = 5_000;
const waiting = { timeout: 20_000 };
let site: Site;
beforeAll(async () => {
  site = await Site.open('ports', 'port-client');
  // Signs of life are seconds apart, so that a busy machine is not taken for a silent frame; a test moves the time.
  await site.context.clock.install();
});
afterAll(() => site?.close());

async function open() {
  const page = await site.page('ports');
  await page.evaluate(() => (globalThis as never as Pages).begin());
  const told = () => page.evaluate(() => (globalThis as never as Pages).told());
  const echo = async (name: string) => {
    await expect.poll(told, waiting).toContain(`connected ${name}`);
    // The client may subscribe a little later than it is connected.
    await expect
      .poll(async () => {
        await page.evaluate((to) => (globalThis as never as Pages).publish(`to/${to}`, 3 << 20), name);
        return told();
      }, waiting)
      .toContain(`will/${name}/got/${3 << 20}`);
  };
  return { page, told, echo };
}

test.each([
  ['a frame of this origin, by its lock', 'near', false],
  ['a frame that is kept apart, by its silence', 'apart', true],
])('%s', async (_, name, sandbox) => {
  const { page, told, echo } = await open();
  await page.evaluate(([n, s]) => (globalThis as never as Pages).frame(n, s), [name, sandbox] as const);
  await echo(name);
  expect(await told()).not.toContain(`will/${name}`);
  await page.evaluate((id) => document.getElementById(id)?.remove(), name);
  if (sandbox) await page.clock.runFor(4 * HEARTBEAT_MS);
  await expect.poll(told, waiting).toContain(`will/${name}`);
  expect(await told()).toContain(`disconnected ${name}`);
  expect(page.errors).toEqual([]);
  await page.close();
});

test('a worker, which is terminated', async () => {
  const { page, told, echo } = await open();
  await page.evaluate(() => (globalThis as never as Pages).worker('helper'));
  await echo('helper');
  await page.evaluate(() => (globalThis as never as { helper: Worker }).helper.terminate());
  await expect.poll(told, waiting).toContain('will/helper');
  expect(page.errors).toEqual([]);
  await page.close();
});
