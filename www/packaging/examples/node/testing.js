// A test without a test runner's help: a clock that stands still, and what was published.
import { MqttClient } from 'mqtt';
import { duplex } from 'wasmqtt/node';
import { createTestBroker } from 'wasmqtt/testing';

const test = await createTestBroker();
const client = new MqttClient(() => duplex(test.broker), { clientId: 'kitchen' });
client.publish('home/kitchen', 'hello');
const { topic, payload } = await test.expectMessage('home/kitchen', { payload: 'hello' });
console.log(`${topic}: ${new TextDecoder().decode(payload)}`);
await client.endAsync();
await test.close();
