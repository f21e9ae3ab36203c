import mqtt from 'mqtt';
import { Broker } from 'wasmqtt';

// Time stands still until it is moved; all luck comes from the seed.
export const broker = await Broker.create({ clock: 'manual', seed: 7 });

// A guest comes and goes; the Session is kept for an hour.
const guest = await mqtt.connectAsync('ws://home.invalid/mqtt', {
  clientId: 'guest',
  createWebsocket: broker.createWebsocket,
  protocolVersion: 5,
  properties: { sessionExpiryInterval: 3600 },
});
await guest.subscribeAsync('door/#', { qos: 1 });
await guest.endAsync();

export const knock = () => broker.publish('door/front', 'knock', { qos: 1 });
export const wait = (/** @type {number} */ minutes) => broker.advance(minutes * 60_000);
export const save = () => broker.snapshot();
export const goBack = (/** @type {Uint8Array} */ snapshot) => broker.restore(snapshot);
