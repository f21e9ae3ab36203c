/** A page with a broker that hands its ports to frames and a worker; the frames and the worker are `port-client.ts`. */
import { Broker, type ConnectionEvent } from '../../../src/index.js';

let broker: Broker;
const events: string[] = [];

/** Makes the broker. */
async function begin(): Promise<void> {
  broker = await Broker.create();
  broker.on('connection', (event) => {
    const { type, clientIdentifier } = event as ConnectionEvent;
    events.push(`${type} ${clientIdentifier}`);
  });
  await broker.subscribe('will/#', ({ topic }) => events.push(topic));
}

/** Opens a frame whose client has this name; `sandbox` keeps it apart from this origin and from its locks. */
async function frame(name: string, sandbox: boolean): Promise<void> {
  const element = document.createElement('iframe');
  element.id = name;
  if (sandbox) element.sandbox.add('allow-scripts');
  element.src = '/port-client';
  const loaded = new Promise((resolve) => element.addEventListener('load', resolve));
  document.body.append(element);
  await loaded;
  const port = broker.port();
  element.contentWindow?.postMessage({ name }, '*', [port]);
}

/** Starts a worker whose client has this name. */
function worker(name: string): void {
  const started = new Worker('/port-client.js', { type: 'module' });
  started.postMessage({ name }, [broker.port()]);
  Object.assign(globalThis, { [name]: started });
}

/** What happened so far. */
const told = (): string[] => events;

/** Echoes what a client publishes to it. */
const publish = (topic: string, bytes: number) => broker.publish(topic, new Uint8Array(bytes), { qos: 1 });

Object.assign(globalThis, { begin, frame, worker, told, publish, ready: true });
