// A broker and MQTT.js in one Node process, without a port.
import { MqttClient } from 'mqtt';
import { Broker } from 'wasmqtt';
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
