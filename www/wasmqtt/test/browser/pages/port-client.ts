/** In a frame or a worker: an MQTT client over the port that it is handed, with a Will. */
import mqtt from 'mqtt';
import { connectPort } from '../../../src/port-client.js';

addEventListener('message', ({ data, ports }) => {
  const [port] = ports;
  const { name } = data as { name?: string };
  if (port === undefined || name === undefined) return;
  const client = mqtt.connect('ws://port.invalid/mqtt', {
    createWebsocket: () => connectPort(port),
    clientId: name,
    reconnectPeriod: 0,
    timerVariant: 'native',
    will: { topic: `will/${name}`, payload: 'x', qos: 1, retain: false },
  } as unknown as mqtt.IClientOptions);
  client.subscribe(`to/${name}`, { qos: 1 });
  client.on('message', (_, payload) => client.publish(`will/${name}/got/${payload.length}`, ''));
});
Object.assign(globalThis, { ready: true });
