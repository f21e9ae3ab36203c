/**
 * A relay that does nothing: WebSocket-like objects that answer CONNECT and SUBSCRIBE and hand the bytes of every
 * PUBLISH to all, joined by task. No broker can be faster, so it is the ceiling of what MQTT.js does in a page.
 */
import { nextTask } from './flood.js';

class RelaySocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readonly protocol = 'mqtt';
  readonly bufferedAmount = 0;
  binaryType = 'arraybuffer';
  readyState = 0;
  #relay: Relay;

  constructor(relay: Relay) {
    super();
    this.#relay = relay;
    void nextTask().then(() => {
      this.readyState = this.OPEN;
      this.dispatchEvent(new Event('open'));
    });
  }

  send(data: Uint8Array): void {
    const kind = (data[0] as number) >> 4;
    if (kind === 1) this.#relay.post(this, Uint8Array.of(0x20, 2, 0, 0));
    else if (kind === 8) this.#relay.subscribed(this, Uint8Array.of(0x90, 3, data[2] as number, data[3] as number, 0));
    else if (kind === 3) this.#relay.publish(data.slice());
  }

  close(): void {
    this.readyState = this.CLOSED;
    this.dispatchEvent(new CloseEvent('close'));
  }
}

/** All that is connected to each other. */
export class Relay {
  #subscribers = new Set<RelaySocket>();
  #waiting = new Map<RelaySocket, Uint8Array[]>();

  readonly createWebsocket = (): RelaySocket => new RelaySocket(this);

  subscribed(socket: RelaySocket, suback: Uint8Array): void {
    this.#subscribers.add(socket);
    this.post(socket, suback);
  }

  publish(bytes: Uint8Array): void {
    for (const socket of this.#subscribers) this.post(socket, bytes);
  }

  post(socket: RelaySocket, bytes: Uint8Array): void {
    if (this.#waiting.size === 0) void nextTask().then(() => this.#deliver());
    const waiting = this.#waiting.get(socket);
    if (waiting) waiting.push(bytes);
    else this.#waiting.set(socket, [bytes]);
  }

  #deliver(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [socket, parts] of waiting) {
      const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        joined.set(part, at);
        at += part.length;
      }
      socket.dispatchEvent(new MessageEvent('message', { data: joined.buffer }));
    }
  }
}
