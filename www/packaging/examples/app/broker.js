// The worker of worker.js. It listens before its first `await`, since no message waits for that.
import { Broker } from 'wasmqtt';

const broker = Broker.create({ storage: 'opfs:home' });
self.onmessage = async ({ ports: [port] }) => (await broker).accept(port);
