import mqtt from 'mqtt';
import { Broker } from 'wasmqtt';

export const broker = await Broker.create();

// MQTT.js as it is; only its socket leads into the broker in this page.
export const connect = (/** @type {string} */ clientId) =>
  mqtt.connectAsync('ws://home.invalid/mqtt', {
    clientId,
    createWebsocket: broker.createWebsocket,
    clean: clientId !== 'phone', // the phone's Session waits for it while it is away
    reconnectPeriod: 0,
  });
