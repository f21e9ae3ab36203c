// The broker lives in a worker, away from the page's own work, and stores in a file of the origin.
import mqtt from 'mqtt';
import { connectPort } from 'wasmqtt';

const worker = new Worker(new URL('./broker.js', import.meta.url), { type: 'module' });
const createWebsocket = (_, protocols) => {
  const { port1, port2 } = new MessageChannel();
  worker.postMessage('a client', [port2]);
  return connectPort(port1, protocols);
};
const client = await mqtt.connectAsync('ws://home.invalid/mqtt', { createWebsocket, timerVariant: 'native' });
client.on('message', (topic, payload) => {
  document.body.textContent = `${topic}: ${payload}`;
});
await client.subscribeAsync('home/#', { qos: 1 });
await client.publishAsync('home/kitchen', 'hello', { qos: 1 });
