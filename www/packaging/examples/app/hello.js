// A broker in this page, and MQTT.js as it is.
import mqtt from 'mqtt';
import { Broker } from 'wasmqtt';

const broker = await Broker.create();
const client = await mqtt.connectAsync('ws://home.invalid/mqtt', {
  createWebsocket: broker.createWebsocket,
  timerVariant: 'native', // else MQTT.js takes its timers from a blob: worker, which a strict CSP forbids
});
client.on('message', (topic, payload) => {
  document.body.textContent = `${topic}: ${payload}`;
});
await client.subscribeAsync('home/#', { qos: 1 });
await client.publishAsync('home/kitchen', 'hello', { qos: 1 });
