// The WebAssembly inside the JavaScript: for executables of one file.
import { MqttClient } from 'mqtt';
import { Broker } from 'wasmqtt/inline';
import { duplex } from 'wasmqtt/node';

const broker = await Broker.create();
const client = new MqttClient(() => duplex(broker), { clientId: 'kitchen' });
client.on('message', async (topic, payload) => {
  console.log(`${topic}: ${payload}`);
  await client.endAsync();
  await broker.close();
});
await client.subscribeAsync('home/#', { qos: 1 });
await client.publishAsync('home/kitchen', 'hello', { qos: 1 });
