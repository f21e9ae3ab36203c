// The other way with esbuild: `--loader:.wasm=file` gives the file a name of its own, and the option `wasm` its address.
import mqtt from 'mqtt';
import { Broker } from 'wasmqtt';
import wasm from 'wasmqtt/wasmqtt.wasm';

const broker = await Broker.create({ wasm: new URL(wasm, import.meta.url) });
const client = await mqtt.connectAsync('ws://home.invalid/mqtt', {
  createWebsocket: broker.createWebsocket,
  timerVariant: 'native',
});
client.on('message', (topic, payload) => {
  document.body.textContent = `${topic}: ${payload}`;
});
await client.subscribeAsync('home/#', { qos: 1 });
await client.publishAsync('home/kitchen', 'hello', { qos: 1 });
