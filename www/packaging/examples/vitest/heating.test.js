import { MqttClient } from 'mqtt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { duplex } from 'wasmqtt/node';
import { createTestBroker } from 'wasmqtt/testing';
import { heating } from './heating.js';

let home;
beforeEach(async () => {
  home = await createTestBroker();
});
afterEach(() => home.close());

const connect = (options) => new MqttClient(() => duplex(home.broker), { reconnectPeriod: 0, ...options });

test('the heating goes on when it is cold', async () => {
  const client = connect({ clientId: 'heating' });
  heating(client);
  home.broker.publish('home/temperature', '17', { retain: true });
  await home.expectMessage('home/heating', { payload: 'on' });
  expect(await home.messagesOn('home/heating')).toHaveLength(1);
});

test('an hour later its Will is published: it was silent for longer than its Keep Alive', async () => {
  const will = { topic: 'home/heating/status', payload: Buffer.from('gone') };
  connect({ clientId: 'heating', keepalive: 60, timerVariant: 'native', will });
  await home.expectConnected('heating');
  await home.expectNoMessage('home/heating/status');
  await home.advance(3_600_000);
  await home.expectMessage('home/heating/status', { payload: 'gone' });
});
