/**
 * A socket's way into the broker of this page: a carrier to the socket and a link to the engine, in one object, since a
 * page may have ten thousand of them.
 */
import type { Engine, Link, LinkId } from './engine.js';
import type { Carried, Carrier } from './socket.js';

/** Bytes under way to a socket in the page; it takes them at once. */
const CREDIT_BYTES = 1 << 24;

/** Between one socket and the engine. */
export class PageLink implements Carrier, Link {
  #engine: Engine;
  #socket: Carried;
  #id: LinkId | undefined;
  #ended = false;

  /** Not open yet. */
  constructor(engine: Engine, socket: Carried) {
    this.#engine = engine;
    this.#socket = socket;
  }

  /** Opens it with the subprotocol agreed on, or refuses if there is none, unless the client has closed meanwhile. */
  open(protocol: string | undefined): void {
    if (this.#ended) return;
    if (protocol === undefined) {
      this.cut();
      return;
    }
    this.#id = this.#engine.open(this, true, 'page', CREDIT_BYTES);
    this.#socket.open(protocol);
  }

  send(bytes: Uint8Array): void {
    if (this.#id !== undefined) this.#engine.received(this.#id, bytes);
  }

  buffered(): number {
    return this.#id === undefined ? 0 : this.#engine.unreadBytes(this.#id);
  }

  end(): void {
    this.#ended = true;
    if (this.#id !== undefined) this.#engine.gone(this.#id);
    this.#id = undefined;
  }

  deliver(bytes: Uint8Array<ArrayBuffer>): void {
    const { length } = bytes;
    this.#socket.message(bytes);
    if (this.#id !== undefined) this.#engine.taken(this.#id, length);
  }

  close(): void {
    this.#id = undefined;
    this.#socket.closed(1000, '', true);
  }

  cut(): void {
    this.#id = undefined;
    this.#socket.closed(1006, '', false);
  }
}
