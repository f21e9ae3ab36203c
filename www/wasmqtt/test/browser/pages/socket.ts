/** For now: what MQTT.js needs of a WebSocket, until the package's own is there. */
import type { SharedBroker } from '../../../src/shared/shared.js';

export class TestSocket extends EventTarget {
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readyState = 0;
  bufferedAmount = 0;
  binaryType = 'arraybuffer';
  #near;
  constructor(broker: SharedBroker) {
    super();
    this.#near = broker.open({
      opened: () => {
        this.readyState = 1;
        setTimeout(() => this.dispatchEvent(new Event('open')));
      },
      deliver: (bytes) => {
        this.#near.took(bytes.length);
        this.dispatchEvent(new MessageEvent('message', { data: bytes.slice().buffer }));
      },
      taken: (bytes) => {
        this.bufferedAmount -= bytes;
      },
      closed: (clean) => this.#end(clean),
    });
  }
  #end(clean: boolean) {
    if (this.readyState === 3) return;
    this.readyState = 3;
    if (!clean) this.dispatchEvent(new Event('error'));
    this.dispatchEvent(new CloseEvent('close', { code: clean ? 1000 : 1006, wasClean: clean }));
  }
  send(data: Uint8Array) {
    const bytes = data.slice();
    this.bufferedAmount += bytes.length;
    this.#near.send(bytes);
  }
  close() {
    if (this.readyState > 1) return;
    this.#near.close();
    setTimeout(() => this.#end(true));
  }
}
