import mqtt from 'mqtt';
import { SharedBroker } from 'wasmqtt/shared';

// The first tab starts it, in a SharedWorker; every other tab finds it.
export const broker = await SharedBroker.connect({ name: 'examples' });

// Each tab is a client of its own. If it dies, its Will says so.
export const clientId = `tab-${crypto.randomUUID().slice(0, 4)}`;
export const client = await mqtt.connectAsync('ws://tabs.invalid/mqtt', {
  clientId,
  createWebsocket: broker.createWebsocket,
  will: { topic: `tabs/${clientId}`, payload: '', qos: 0, retain: true },
});
await client.publishAsync(`tabs/${clientId}`, 'here', { retain: true });
await client.subscribeAsync(['tabs/+', 'lamp/brightness']);

export const dim = (/** @type {number} */ percent) =>
  client.publish('lamp/brightness', String(percent), { retain: true });
