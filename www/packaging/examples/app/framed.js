// Inside of the iframe: a client over the port that the page sends.
import mqtt from 'mqtt';
import { connectPort } from 'wasmqtt';

addEventListener('message', async ({ origin, ports: [port] }) => {
  if (origin !== location.origin) return; // the page's origin, if it is another one
  const client = await mqtt.connectAsync('ws://port.invalid/mqtt', {
    createWebsocket: (_, protocols) => connectPort(port, protocols),
    timerVariant: 'native',
    reconnectPeriod: 0, // a port is one connection; ask for another one to connect again
  });
  await client.publishAsync('home/kitchen', 'hello', { qos: 1 });
});
