/**
 * `wasmqtt/testing`: a broker for test suites. Its clock stands still until the test moves it, its luck comes from a
 * seed, and it remembers every message, so that a test can ask what was published. It needs no test runner: what is not
 * as expected is an Error that says what was there instead.
 */
import { Broker } from './broker.js';
import type { Message } from './local.js';
import type { BrokerOptions } from './options.js';

/** What is expected of a message; what is left out may be anything. */
export interface Expected {
  /** The whole payload, as text or bytes. */
  payload?: string | Uint8Array;
  qos?: 0 | 1 | 2;
  retain?: boolean;
}

/** A broker that remembers. */
export interface TestBroker extends AsyncDisposable {
  /** The broker. */
  readonly broker: Broker;
  /** As `broker.createWebsocket`. */
  readonly createWebsocket: Broker['createWebsocket'];
  /** Every message that was published, oldest first, as a subscriber to everything got it. */
  readonly messages: readonly Message[];
  /** Waits until nothing is under way, and gives all messages on a topic. */
  messagesOn(topic: string): Promise<Message[]>;
  /**
   * Waits until nothing is under way, and gives the last message on a topic that is as expected.
   * @throws Error that tells what there was.
   */
  expectMessage(topic: string, expected?: Expected): Promise<Message>;
  /** @throws Error if anything was published on the topic. */
  expectNoMessage(topic: string): Promise<void>;
  /** @throws Error if this client is not connected. */
  expectConnected(clientIdentifier: string): Promise<void>;
  /** Moves the clock, in milliseconds. */
  advance(ms: number): Promise<void>;
  /** Waits until nothing is under way. */
  idle(): Promise<void>;
  /** Ends it. */
  close(): Promise<void>;
}

/**
 * Makes a broker with a manual clock and the seed 1, unless `options` say otherwise.
 * @example
 * await using test = await createTestBroker();
 * const client = new MqttClient(() => duplex(test.broker), {});
 * client.publish('home/kitchen/temperature', '21');
 * await test.expectMessage('home/kitchen/temperature', { payload: '21' });
 */
export async function createTestBroker(options: BrokerOptions = {}): Promise<TestBroker> {
  const broker = await Broker.create({ clock: 'manual', seed: 1, ...options });
  const messages: Message[] = [];
  const remember = (message: Message) => messages.push(message);
  await broker.subscribe('#', remember, { qos: 2 });

  const messagesOn = async (topic: string) => {
    await broker.idle();
    return messages.filter((message) => message.topic === topic);
  };
  const close = () => broker.close();
  return {
    broker,
    createWebsocket: broker.createWebsocket,
    messages,
    messagesOn,
    async expectMessage(topic, expected = {}) {
      const found = (await messagesOn(topic)).findLast((message) => isAs(message, expected));
      if (found !== undefined) return found;
      throw new Error(`no message on '${topic}' is ${shown(expected)}; there were ${list(messages)}`);
    },
    async expectNoMessage(topic) {
      const found = await messagesOn(topic);
      if (found.length > 0) throw new Error(`nothing was expected on '${topic}', and there were ${list(found)}`);
    },
    async expectConnected(clientIdentifier) {
      await broker.idle();
      if (broker.inspect(clientIdentifier)?.connected === true) return;
      const names = broker.inspect().sessions.filter((session) => session.connected);
      const others = names.map((session) => `'${session.clientIdentifier}'`).join(', ') || 'nobody';
      throw new Error(`'${clientIdentifier}' is not connected; connected: ${others}`);
    },
    advance: (ms) => broker.advance(ms),
    idle: () => broker.idle(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

const text = new TextDecoder();

function isAs(message: Message, { payload, qos, retain }: Expected): boolean {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  return (
    (bytes === undefined ||
      (bytes.length === message.payload.length && bytes.every((b, at) => b === message.payload[at]))) &&
    (qos === undefined || qos === message.qos) &&
    (retain === undefined || retain === message.retain)
  );
}

function shown({ payload, qos, retain }: Expected): string {
  const parts = [
    payload === undefined ? '' : JSON.stringify(typeof payload === 'string' ? payload : text.decode(payload)),
    qos === undefined ? '' : `QoS ${qos}`,
    retain === undefined ? '' : `RETAIN ${Number(retain)}`,
  ];
  return parts.filter((part) => part !== '').join(', ') || 'there';
}

function list(messages: readonly Message[]): string {
  const lines = messages.map((message) => {
    const { topic, payload, qos, retain } = message;
    return `'${topic}' ${shown({ payload, qos, retain })}`;
  });
  return lines.length === 0 ? 'none' : lines.join('; ');
}
