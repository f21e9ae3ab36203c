/** Messages from one MQTT.js client to another, as fast as the way between them takes them. */
import type { MqttClient } from 'mqtt';

/** Messages that may be under way: enough to keep every way busy, few enough that nothing piles up. */
const UNDER_WAY = 1_000;
/** What one task publishes before others have their turn. */
const AT_ONCE = 64;

declare const setImmediate: ((task: () => void) => unknown) | undefined;

const { port1, port2 } = new MessageChannel();
const tasks: (() => void)[] = [];

/** Lets everybody else have a turn. */
export const nextTask = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === 'function') {
      setImmediate(resolve);
      return;
    }
    port1.onmessage ??= () => tasks.shift()?.();
    tasks.push(resolve);
    port2.postMessage(undefined);
  });

/** Resolves once a client is connected. */
export const connected = (client: MqttClient): Promise<MqttClient> =>
  new Promise((resolve, reject) => {
    client.once('connect', () => resolve(client));
    client.once('error', reject);
  });

/** Messages a second from `publisher` to `subscriber`, QoS 0, 16 bytes each, after as many to warm up. */
export async function flood(publisher: MqttClient, subscriber: MqttClient, count: number): Promise<number> {
  await subscriber.subscribeAsync('bench/flood');
  let received = 0;
  subscriber.on('message', () => {
    received += 1;
  });
  const payload = '0123456789abcdef';
  const run = async () => {
    received = 0;
    const begun = performance.now();
    for (let sent = 0; received < count; ) {
      const upto = Math.min(sent + AT_ONCE, count, received + UNDER_WAY);
      for (; sent < upto; sent += 1) publisher.publish('bench/flood', payload);
      await nextTask();
    }
    return (count * 1000) / (performance.now() - begun);
  };
  await run();
  return run();
}
