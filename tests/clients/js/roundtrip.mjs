// MQTT.js against a running server: node roundtrip.mjs URL VERSION (3, 4 or 5).
//
// Subscribes, publishes at every QoS, reads a Retained Message and a Will, and in 5.0 the properties of a message. The
// last line is "ok"; anything else is a failure. Every wait ends with an event or with the test's own time limit.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'mqtt';

const [url, version] = [process.argv[2], Number(process.argv[3])];
const limit = setTimeout(() => { console.error('not done within 30 s'); process.exit(1); }, 30_000);

function open(name, more = {}) {
  const identity = { protocolVersion: version, clientId: name, clean: true, reconnectPeriod: 0 };
  return connect(url, version === 3 ? { ...identity, protocolId: 'MQIsdp', ...more } : { ...identity, ...more });
}

async function opened(name, more) {
  const client = open(name, more);
  const [connack] = await once(client, 'connect');
  return { client, connack };
}

function message(client, topic) {
  return new Promise((resolve) => {
    client.on('message', function listener(name, payload, packet) {
      if (name !== topic) return;
      client.off('message', listener);
      resolve({ text: payload.toString(), packet });
    });
  });
}

const { client: alice } = await opened('alice');
const granted = await alice.subscribeAsync('js/#', { qos: 2 });
assert.equal(granted[0].qos, 2);

for (const qos of [0, 1, 2]) {
  const came = message(alice, `js/${qos}`);
  await alice.publishAsync(`js/${qos}`, `qos ${qos}`, { qos });
  const { text, packet } = await came;
  assert.deepEqual([text, packet.qos, packet.retain], [`qos ${qos}`, qos, false]);
}

const large = 'x'.repeat(300_000);
const came = message(alice, 'js/large');
await alice.publishAsync('js/large', large, { qos: 1 });
assert.equal((await came).text, large);

await alice.publishAsync('js/kept', 'still here', { qos: 1, retain: true });
const { client: late } = await opened('late');
const kept = message(late, 'js/kept');
await late.subscribeAsync('js/kept', { qos: 1 });
const { text, packet } = await kept;
assert.deepEqual([text, packet.retain], ['still here', true]);
await alice.publishAsync('js/kept', '', { qos: 1, retain: true });

const { client: dying } = await opened('dying', { will: { topic: 'js/will', payload: 'gone', qos: 1, retain: false } });
const will = message(alice, 'js/will');
dying.stream.destroy();
assert.equal((await will).text, 'gone');

if (version === 5) {
  const came = message(alice, 'js/properties');
  const properties = {
    contentType: 'text/plain', responseTopic: 'js/reply', correlationData: Buffer.from([0, 255]),
    messageExpiryInterval: 60, payloadFormatIndicator: true, userProperties: { b: ['1', '2'], a: '3' },
  };
  await alice.publishAsync('js/properties', 'x', { qos: 1, properties });
  const got = (await came).packet.properties;
  assert.equal(got.contentType, 'text/plain');
  assert.equal(got.responseTopic, 'js/reply');
  assert.deepEqual(got.correlationData, properties.correlationData);
  assert.deepEqual({ ...got.userProperties }, properties.userProperties);
}

await alice.unsubscribeAsync('js/#');
await Promise.all([alice.endAsync(), late.endAsync()]);
clearTimeout(limit);
console.log('ok');
