/**
 * A client inside the broker, for `subscribe`: pages that want to hear a topic need not bring an MQTT client. It is the
 * project's own client, speaks MQTT 5.0 over a link like any other and shows as a Session.
 */
import { Client } from '../generated/wasmqtt.js';
import type { Engine, LinkId } from './engine.js';
import { type Qos, reportLater } from './events.js';

/** A message that came to a subscription of the page. */
export interface Message {
  topic: string;
  payload: Uint8Array;
  qos: Qos;
  /** RETAIN: at the beginning of a subscription, the message was kept for it; else, it was published to be kept. */
  retain: boolean;
}

/** What the client inside tells. */
interface Told {
  type: 'connected' | 'closed' | 'subscribed' | 'unsubscribed' | 'message' | 'finished' | 'challenge' | 'pong';
  id?: number;
  codes?: number[];
  why?: string;
}

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

/** One subscription: a client of its own, so that what it matches needs no second matching here. */
export class LocalSubscription {
  #engine: Engine;
  #client: Client;
  #link: LinkId | undefined;
  #handler: (message: Message) => void;
  #filter: string;
  #qos: Qos;
  #waiting: Waiting | undefined;

  constructor(engine: Engine, name: string, filter: string, qos: Qos, handler: (message: Message) => void) {
    this.#engine = engine;
    this.#client = new Client(name);
    this.#filter = filter;
    this.#qos = qos;
    this.#handler = handler;
  }

  /** Resolves when the broker has granted it. @throws Error if it does not. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      const link = {
        deliver: (bytes: Uint8Array) => this.#deliver(bytes),
        close: () => this.#end('the broker closed the connection'),
      };
      this.#link = this.#engine.open(link, true, 'page', Number.MAX_SAFE_INTEGER);
      this.#client.connected();
      this.#flush();
    });
  }

  /** Ends it. */
  close(): void {
    if (this.#link === undefined) return;
    this.#client.disconnect();
    this.#flush();
    const link = this.#link;
    this.#end('it was ended');
    this.#engine.gone(link);
  }

  #deliver(bytes: Uint8Array): void {
    this.#client.received(bytes);
    for (let told = this.#client.poll() as Told; told !== undefined; told = this.#client.poll()) {
      this.#told(told);
      if (this.#link === undefined) return;
    }
    this.#flush();
  }

  #told(told: Told): void {
    if (told.type === 'message') {
      try {
        const { topic, payload, qos, retain } = told as unknown as Message;
        this.#handler({ topic, payload, qos, retain });
      } catch (error) {
        reportLater(error);
      }
    } else if (told.type === 'connected') {
      try {
        this.#client.subscribe(this.#filter, this.#qos);
      } catch (error) {
        this.#refuse(new Error(`wasmqtt: '${this.#filter}': ${(error as Error).message}`));
      }
    } else if (told.type === 'subscribed') {
      const code = told.codes?.[0] ?? 0x80;
      if (code < 0x80) this.#waiting?.resolve();
      else this.#refuse(new Error(`wasmqtt: '${this.#filter}' was refused with 0x${code.toString(16)}`));
    } else if (told.type === 'closed') {
      this.#refuse(new Error(`wasmqtt: '${this.#filter}': ${told.why}`));
    }
  }

  #refuse(error: Error): void {
    this.#waiting?.reject(error);
    this.close();
  }

  #flush(): void {
    const bytes = this.#client.takeOutgoing();
    if (bytes.length > 0 && this.#link !== undefined) this.#engine.received(this.#link, bytes);
  }

  #end(why: string): void {
    if (this.#link === undefined) return;
    this.#link = undefined;
    this.#waiting?.reject(new Error(`wasmqtt: '${this.#filter}': ${why}`));
    this.#client.free();
  }
}
