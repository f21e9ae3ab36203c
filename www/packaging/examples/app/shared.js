// One broker for all tabs, in a SharedWorker; what is retained is still there tomorrow.
import mqtt from 'mqtt';
import { SharedBroker } from 'wasmqtt/shared';

const broker = await SharedBroker.connect({ name: 'home', storage: 'idb:home' });
const client = await mqtt.connectAsync('ws://home.invalid/mqtt', {
  createWebsocket: broker.createWebsocket,
  timerVariant: 'native',
});
client.on('message', (topic, payload) => {
  document.body.textContent = `${broker.mode}, ${topic}: ${payload}`;
});
await client.subscribeAsync('home/#', { qos: 1 });
await client.publishAsync('home/kitchen', 'hello', { qos: 1, retain: true });
