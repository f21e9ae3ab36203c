// A scenario as a test of its own: MQTT.js clients against a broker of `wasmqtt/testing`, in the order in which things
// happened on the Stage, and at the end what each user must have got. What only a simulated link can do (bytes lost
// half-way, a program that stands still) has no counterpart with real clients: it stays as a comment, and then the
// expectation is one too, since another story may end in another way.

import type { ClientOptions, ConnectOptions, Entry, Message, StageCommand, StageScenario } from './types';

const quoted = (value: unknown): string =>
  JSON.stringify(value)
    .replaceAll('\\', '\\\\')
    .replaceAll("'", "\\'")
    .replace(/^"|"$/g, "'")
    .replaceAll('\\\\"', '"')
    .replaceAll('\\\\', '\\');
const payloadOf = ({ payload = '', payload_hex }: Message): string =>
  payload_hex === undefined ? `Buffer.from(${quoted(payload)})` : `Buffer.from(${quoted(payload_hex)}, 'hex')`;

/** A JavaScript name for a client. */
function nameOf(id: string, taken: Set<string>): string {
  const plain = id.replace(/[^A-Za-z0-9_$]+(.)?/g, (_, next: string | undefined) => (next ?? '').toUpperCase());
  const start = /^[A-Za-z_$]/.test(plain) ? plain : `client${plain}`;
  let name = start;
  for (let n = 2; taken.has(name) || RESERVED.has(name); n += 1) name = `${start}${n}`;
  taken.add(name);
  return name;
}

const RESERVED: ReadonlySet<string> = new Set(
  'home heard connect settle test assert duplex Buffer await break case catch class const continue default delete do else enum export extends false finally for function if import in instanceof let new null package return static super switch this throw true try typeof var void while with yield'.split(
    ' ',
  ),
);

/** The fields of an object literal, without those that say nothing. */
const fields = (list: readonly (readonly [string, string | undefined])[]): string =>
  list.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`])).join(', ');

function userProperties(user: readonly (readonly [string, string])[] | undefined): string | undefined {
  if (!user || user.length === 0) return undefined;
  const names = [...new Set(user.map(([name]) => name))];
  const values = (name: string) => user.filter(([one]) => one === name).map(([, value]) => quoted(value));
  return `{ ${names.map((name) => `${quoted(name)}: [${values(name).join(', ')}]`).join(', ')} }`;
}

function messageProperties(message: Message): string | undefined {
  const text = fields([
    ['messageExpiryInterval', message.expiry_s?.toString()],
    ['contentType', message.content_type === undefined ? undefined : quoted(message.content_type)],
    ['responseTopic', message.response_topic === undefined ? undefined : quoted(message.response_topic)],
    ['correlationData', message.correlation === undefined ? undefined : `Buffer.from(${quoted(message.correlation)})`],
    ['payloadFormatIndicator', message.payload_is_text?.toString()],
    ['userProperties', userProperties(message.user)],
  ]);
  return text === '' ? undefined : `{ ${text} }`;
}

function willOf(will: NonNullable<ConnectOptions['will']>): string {
  const inner = messageProperties(will)?.slice(2, -2);
  const properties = [will.delay_s ? `willDelayInterval: ${will.delay_s}` : undefined, inner]
    .filter(Boolean)
    .join(', ');
  return `{ ${fields([
    ['topic', quoted(will.topic)],
    ['payload', payloadOf(will)],
    ['qos', String(will.qos ?? 0)],
    ['retain', String(will.retain ?? false)],
    ['properties', properties === '' ? undefined : `{ ${properties} }`],
  ])} }`;
}

function connectOptions(id: string, options: ConnectOptions): string {
  const { version = '5.0' } = options;
  const v5 = version === '5.0';
  const properties = v5
    ? fields([
        ['sessionExpiryInterval', options.session_expiry_s ? String(options.session_expiry_s) : undefined],
        ['receiveMaximum', options.receive_maximum === undefined ? undefined : String(options.receive_maximum)],
        ['maximumPacketSize', options.maximum_packet_size?.toString()],
        ['topicAliasMaximum', options.topic_alias_maximum ? String(options.topic_alias_maximum) : undefined],
        ['userProperties', userProperties(options.user)],
      ])
    : '';
  return `{ ${fields([
    ['clientId', quoted(options.client_identifier ?? id)],
    ['protocolVersion', v5 ? '5' : version === '3.1.1' ? '4' : '3'],
    ['protocolId', version === '3.1' ? quoted('MQIsdp') : undefined],
    ['clean', String(options.clean_start ?? true)],
    ['username', options.user_name == null ? undefined : quoted(options.user_name)],
    ['password', options.password == null ? undefined : quoted(options.password)],
    ['will', options.will ? willOf(options.will) : undefined],
    ['properties', properties === '' ? undefined : `{ ${properties} }`],
  ])} }`;
}

/** What is known of a client while its story is told. */
interface Told {
  readonly name: string;
  options: ConnectOptions;
}

class Writer {
  readonly lines: string[] = [];
  /** Something has no counterpart. */
  left = false;
  readonly #clients = new Map<string, Told>();
  readonly #names = new Set<string>();

  add({ id, name: _n, icon: _i, link: _l, ...options }: ClientOptions): void {
    this.#clients.set(id, { name: nameOf(id, this.#names), options });
  }

  get names(): readonly (readonly [string, string])[] {
    return [...this.#clients].map(([id, { name }]) => [id, name] as const);
  }

  command(command: StageCommand): void {
    const client = 'who' in command ? this.#clients.get(command.who) : undefined;
    const line = this.#line(command, client);
    if (line === null) {
      this.left = true;
      this.lines.push(`// Only on the Stage: ${JSON.stringify(command)}`);
    } else if (line !== '') {
      this.lines.push(line, 'await settle();');
    }
  }

  /** `null`: there is none; empty: nothing is to be done. */
  #line(command: StageCommand, client: Told | undefined): string | null {
    switch (command.do) {
      case 'add_client':
        this.add(command.client);
        return '';
      case 'predict':
        return '';
      case 'remove_client':
        return client ? `${client.name}?.stream.destroy();` : null;
      case 'connect': {
        if (!client) return null;
        const { do: _do, who, ...said } = command;
        client.options = { ...client.options, ...said };
        return `${client.name} = await connect(${quoted(who)}, ${connectOptions(who, client.options)});`;
      }
      case 'disconnect':
        if (!client) return null;
        return command.with_will
          ? `await ${client.name}.endAsync(false, { reasonCode: 4 });`
          : `await ${client.name}.endAsync();`;
      case 'cut':
        return client ? `${client.name}.stream.destroy();` : null;
      case 'subscribe':
        return client ? this.#subscribe(command, client) : null;
      case 'unsubscribe':
        return client ? `await ${client.name}.unsubscribeAsync(${quoted(command.filter)});` : null;
      case 'publish':
        return client ? publishLine(command, client) : null;
      case 'link':
        // Only when, not what.
        return '';
      case 'ack':
      case 'raw':
      case 'half_open':
      case 'heal':
      case 'cut_when':
      case 'cancel_cut_when':
      case 'freeze':
      case 'thaw':
      case 'restart':
      case 'broker':
        return null;
    }
  }

  #subscribe(command: Extract<StageCommand, { do: 'subscribe' }>, client: Told): string {
    const v5 = (client.options.version ?? '5.0') === '5.0';
    const options = fields([
      ['qos', String(command.qos ?? 0)],
      ['nl', v5 && command.no_local ? 'true' : undefined],
      ['rap', v5 && command.retain_as_published ? 'true' : undefined],
      ['rh', v5 && command.retain_handling ? String(command.retain_handling) : undefined],
      ['properties', v5 && command.identifier ? `{ subscriptionIdentifier: ${command.identifier} }` : undefined],
    ]);
    return `await ${client.name}.subscribeAsync(${quoted(command.filter)}, { ${options} });`;
  }
}

function publishLine(command: Extract<StageCommand, { do: 'publish' }>, client: Told): string {
  const v5 = (client.options.version ?? '5.0') === '5.0';
  const options = fields([
    ['qos', String(command.qos ?? 0)],
    ['retain', command.retain ? 'true' : undefined],
    ['properties', v5 ? messageProperties(command) : undefined],
  ]);
  return `await ${client.name}.publishAsync(${quoted(command.topic)}, ${payloadOf(command)}, { ${options} });`;
}

/** The broker's limits by their names in the npm package. */
function brokerOptions(scenario: StageScenario): string {
  const { broker = {} } = scenario;
  const limits = fields([
    ['receiveMaximum', broker.receive_maximum?.toString()],
    ['inFlightMax', broker.in_flight_max?.toString()],
    ['maximumQos', broker.maximum_qos?.toString()],
    ['queueMessagesMax', broker.queue_messages_max?.toString()],
    ['keepAliveMaxS', broker.keep_alive_max_s?.toString()],
    ['sessionExpiryMaxS', broker.session_expiry_max_s?.toString()],
    ['topicAliasMaximum', broker.topic_alias_maximum?.toString()],
    ['packetBytesMax', broker.packet_bytes_max?.toString()],
    ['retainAvailable', broker.retain_available?.toString()],
    ['wildcardSubscriptionAvailable', broker.wildcard_subscription_available?.toString()],
    ['sharedSubscriptionAvailable', broker.shared_subscription_available?.toString()],
  ]);
  return limits === '' ? '' : `{ limits: { ${limits} } }`;
}

const HEAD = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MqttClient } from 'mqtt';
import { duplex } from 'wasmqtt/node';
import { createTestBroker } from 'wasmqtt/testing';

// Packages: mqtt, wasmqtt. To run it: node --test scenario.test.mjs
`;

const HELPERS = `  const heard = {};
  const clients = [];
  // The broker's clock is moved by hand, so the clients must not measure silence on their own.
  const connect = async (name, options) => {
    const client = new MqttClient(() => duplex(home.broker), { keepalive: 0, reconnectPeriod: 0, ...options });
    heard[name] ??= [];
    clients.push(client);
    client.on('error', () => {});
    client.on('message', (topic, payload, { qos, retain }) => {
      // What the broker says of itself is another thing each time.
      if (!topic.startsWith('$SYS/')) heard[name].push([topic, payload.toString(), qos, retain]);
    });
    await new Promise((resolve) => client.once('connect', resolve).once('close', resolve));
    return client;
  };
  // Until broker and clients have nothing more to say to each other.
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      await home.idle();
    }
  };
`;

/** The text of the test. `entries` is the log up to the playhead. */
export function testStub(scenario: StageScenario, entries: readonly Entry[]): string {
  const writer = new Writer();
  for (const client of scenario.clients ?? []) writer.add(client);
  const refused = new Set(
    entries.flatMap((entry) => ('refused' in entry && entry.cause !== undefined ? [entry.cause] : [])),
  );
  let last = 0;
  for (const entry of entries) {
    if (!('command' in entry) || refused.has(entry.n)) continue;
    const passed = Math.round((entry.at - last) / 1000);
    last = entry.at;
    if (passed > 0 && writer.lines.length > 0) writer.lines.push(`await home.advance(${passed});`, 'await settle();');
    writer.command(entry.command);
  }
  const ends = Math.round(((entries.at(-1)?.at ?? last) - last) / 1000);
  if (ends > 0) writer.lines.push(`await home.advance(${ends});`, 'await settle();');
  // What is still on its way comes in the test too; then only what came first is known.
  const arrived = new Set(
    entries.flatMap((entry) =>
      'delivered' in entry ? [entry.delivered.packet] : 'lost' in entry ? [entry.lost.packet] : [],
    ),
  );
  const flying = entries.some((entry) => 'sent' in entry && !arrived.has(entry.n));
  const told = writer.names.map(([id]) => {
    const messages = entries.flatMap((entry) =>
      'told' in entry && entry.told.who === id && !entry.told.topic.startsWith('$SYS/') ? [entry.told] : [],
    );
    const list = messages.map(
      ({ topic, payload, qos, retain }) => `[${quoted(topic)}, ${quoted(payload)}, ${qos}, ${retain}]`,
    );
    const got = `(heard[${quoted(id)}] ?? [])${flying ? `.slice(0, ${list.length})` : ''}`;
    return `assert.deepEqual(${got}, [${list.join(', ')}]);`;
  });
  const expected = writer.left
    ? [
        '// What each user got on the Stage. Not all of the story is here, so it may differ.',
        ...told.map((line) => `// ${line}`),
      ]
    : told;
  const names = writer.names.map(([, name]) => name);
  const indent = (lines: readonly string[], by = '    ') => lines.map((line) => `${by}${line}\n`).join('');
  return `${HEAD}
test('the scenario ends as it did on the Stage', async () => {
  const home = await createTestBroker(${brokerOptions(scenario)});
${HELPERS}${names.length > 0 ? `  let ${names.join(', ')};\n` : ''}  try {
${indent(writer.lines)}${indent(expected)}  } finally {
    for (const client of clients) client.end(true);
    await home.close();
  }
});
`;
}
