// A broker on real ports, for native clients and other processes.
import mqtt from 'mqtt';
import { Broker } from 'wasmqtt';
import { listen } from 'wasmqtt/node';

const broker = await Broker.create();
const { port, wsPort, close } = await listen(broker, { port: 0, wsPort: 0 });
const subscriber = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
const publisher = await mqtt.connectAsync(`ws://127.0.0.1:${wsPort}/mqtt`);
subscriber.on('message', async (topic, payload) => {
  console.log(`${topic}: ${payload}`);
  await Promise.all([subscriber.endAsync(), publisher.endAsync()]);
  await close();
  await broker.close();
});
await subscriber.subscribeAsync('home/#', { qos: 1 });
await publisher.publishAsync('home/kitchen', 'hello', { qos: 1 });
