// The broker is here; an iframe gets a way into it. The frame may be of another origin, and sandboxed.
import { Broker } from 'wasmqtt';

const broker = await Broker.create();
await broker.subscribe('home/#', ({ topic, payload }) => {
  document.body.append(`${topic}: ${new TextDecoder().decode(payload)}`);
});
const frame = document.createElement('iframe');
frame.src = './framed.html'; // with <script type="module" src="./framed.js"></script>
frame.onload = () => frame.contentWindow.postMessage('mqtt', location.origin, [broker.port()]);
document.body.append(frame);
