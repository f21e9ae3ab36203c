// Every string of the user interface in English. What holds values is a function. The other catalogues have the type of
// this one, so that a string in one language only doesn't compile.

import type { PacketName } from '../lessons/stage';
import { app } from './app.en';
import {
  type CommandMessages,
  type DeliveryFacts,
  type Field,
  levelAt,
  type Mistake,
  type PacketFacts,
  type WhyNotMessages,
} from './facts';
import { reasons } from './reasons.en';
import { view } from './view.en';

const field = (label: string, hint = ''): Field => ({ label, hint });
const at = (path: string, level: number): string => {
  const text = levelAt(path, level);
  return text === undefined ? 'nothing more' : text === '' ? 'an empty level' : `“${text}”`;
};
const end = (name: string | null): string => name ?? 'broker';
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** What a packet says, after its name: topic, payload, QoS, flags, reason. */
const content = (facts: PacketFacts): string =>
  [
    facts.packet,
    facts.topic,
    facts.payload === '' ? 'empty payload' : facts.payload,
    facts.qos === undefined ? undefined : `QoS ${facts.qos}`,
    facts.id === undefined ? undefined : `identifier ${facts.id}`,
    facts.dup ? 'DUP 1' : undefined,
    facts.retain ? 'RETAIN 1' : undefined,
    facts.sessionPresent === undefined ? undefined : `Session Present ${facts.sessionPresent ? 1 : 0}`,
    facts.reason === undefined ? undefined : reasonName(facts.reason, facts.packet),
  ]
    .filter((part) => part !== undefined)
    .join(', ');

function reasonName(code: number, packet?: PacketName): string {
  if (code === 0 && packet === 'DISCONNECT') return reasons.normalDisconnection.name;
  if (code === 0 && packet === 'SUBACK') return reasons.grantedQos0.name;
  const known = (reasons.codes as Readonly<Record<number, { name: string } | undefined>>)[code];
  return known?.name ?? `0x${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

const whyNot: WhyNotMessages = {
  no_subscription: ({ client }) => `${capital(client)} has no Subscription at all.`,
  no_match: ({ filter, level, topic }) =>
    `The filter ${filter} stops matching at level ${level}: it wants ${at(filter, level)}, the topic has ${at(topic, level)}.`,
  dollar: ({ filter, topic }) => `The filter ${filter} begins with a wildcard, and ${topic} begins with $.`,
  no_local: ({ client }) => `${capital(client)} published it and asked for No Local: none of its own messages.`,
  not_permitted: ({ client, topic }) => `${capital(client)} may not receive ${topic}.`,
  another_member: ({ filter }) => `Another member of the group ${filter} got it this time.`,
  offline: ({ client }) => `${capital(client)} was away, and QoS 0 doesn’t wait.`,
  queue_full: ({ client }) => `The queue of ${client} is full.`,
  outbox_full: ({ client }) => `Too much is unsent on the connection of ${client}, and QoS 0 doesn’t wait.`,
  packet_too_large: ({ client }) => `The packet exceeds the Maximum Packet Size of ${client}.`,
  expired: () => 'Its Message Expiry Interval had passed.',
  memory: () => 'The broker was near its bound on memory.',
};

const commands: CommandMessages = {
  connect: (who) => `${capital(who)} connects`,
  disconnect: (who, { with_will }) =>
    with_will ? `${capital(who)} disconnects with its Will` : `${capital(who)} disconnects`,
  subscribe: (who, { filter, qos }) => `${capital(who)} subscribes to ${filter}, QoS ${qos}`,
  unsubscribe: (who, { filter }) => `${capital(who)} unsubscribes from ${filter}`,
  publish: (who, { topic, payload, qos = 0 }) =>
    `${capital(who)} publishes ${payload || 'an empty payload'} to ${topic}, QoS ${qos}`,
  ack: (who) => `${capital(who)} acknowledges a message`,
  raw: (who, { hex }) => `${capital(who)} sends ${plural(hex.length / 2, 'byte')} as they are`,
  link: (who) => `The link of ${who} changes`,
  cut: (who) => `The link of ${who} is cut`,
  half_open: (who) => `The link of ${who} goes dead without a word (half-open)`,
  heal: (who) => `The link of ${who} is healthy again`,
  cut_when: (who, { packet, at: when }) =>
    `The link of ${who} will be cut when ${packet} is ${when === 'sent' ? 'sent' : when === 'half_way' ? 'half-way' : 'delivered'}`,
  cancel_cut_when: (who) => `The link of ${who} will not be cut`,
  freeze: (who) => `The program of ${who} freezes`,
  thaw: (who) => `The program of ${who} goes on`,
  restart: (_, { storage }) => (storage ? 'The broker restarts with storage' : 'The broker restarts without storage'),
  add_client: (who) => `${capital(who)} is added`,
  remove_client: (who) => `${capital(who)} is removed`,
  broker: () => 'The broker’s limits change',
  predict: () => 'An answer is predicted',
};

export const en = {
  language: 'English',
  title: 'MQTT, by making it happen',
  skip: 'Skip to the content',
  close: 'Close',
  cancel: 'Cancel',
  apply: 'Apply',
  copy: 'Copy',
  copied: 'Copied',
  broker: 'broker',
  section: (v5: string, v311: string) => (v5 === v311 ? `Section ${v5}` : `Section ${v5} (5.0), ${v311} (3.1.1)`),

  /** For the page's noscript element and for a browser without WebAssembly. */
  plain: {
    noScript:
      'This simulator runs an MQTT broker inside your browser, and for that it needs JavaScript. Please turn JavaScript on and load the page again.',
    noWasm:
      'This simulator runs an MQTT broker inside your browser, and for that it needs WebAssembly. Your browser doesn’t have it or has it turned off; a current Firefox, Chrome, Edge or Safari will do.',
    loadFailed:
      'The simulator could not be loaded. Check your connection and load the page again; your progress is safe.',
  },

  start: {
    lead: 'A real MQTT broker runs in this page. Send messages, break connections, and see what happens to every packet.',
    learn: 'Learn',
    learnHint: (count: number) => `${count} short lessons, from the first message to a broker restart`,
    sandbox: 'Sandbox',
    sandboxHint: 'Build your own clients and try anything',
    resume: (title: string) => `Go on: ${title}`,
    progress: (done: number, all: number) => `${done} of ${plural(all, 'lesson')} passed`,
    passed: 'passed',
    minutes: (count: number) => `${count} min`,
    reset: 'Forget my progress',
    resetAsk: 'Forget which lessons you have passed? This can’t be undone.',
    resetDone: 'Your progress is forgotten.',
    private: 'Your progress stays in this browser.',
    theme: 'Colours',
    themes: { system: 'as the system', light: 'light', dark: 'dark' },
    glossary: 'Glossary',
    gallery: 'Gallery',
    offline: 'Ready to work offline',
  },

  lesson: {
    number: (number: number) => `Lesson ${number}`,
    predict: 'What do you think?',
    predictFirst: 'Answer first, then try it.',
    right: 'That’s right.',
    wrong: (answer: string) => `It is another one: ${answer}`,
    goal: 'Your goal',
    open: 'Not reached yet',
    reached: 'Reached!',
    passed: (title: string) => `Lesson passed: ${title}`,
    hint: (number: number, all: number) => `Hint ${number} of ${all}`,
    nextHint: 'Show a hint',
    noMoreHints: 'No more hints',
    trap: 'Look here',
    look: 'Where to look',
    standard: 'In the standard',
    solution: 'Show the solution',
    solutionAsk: 'The solution starts the lesson over and plays it for you.',
    again: 'Start over',
    next: 'Next lesson',
    previous: 'Previous lesson',
    all: 'All lessons',
    last: 'That was the last lesson. The sandbox is yours.',
    openField: (field: string) => `${field} can be changed`,
  },

  stage: {
    views: { map: 'Map', ladder: 'Ladder', split: 'Both' },
    tabs: { why: 'Why', packet: 'Packet', session: 'Session', topics: 'Topics', log: 'Log' },
    palette: 'What you can do',
    inspectors: 'Inspectors',
    nothing: 'Nothing chosen yet.',
    help: 'Help',
    fullscreen: 'Presenter size',
    leave: 'Back to the start page',
  },

  map: {
    label: (clients: number) => `Map: the broker and ${plural(clients, 'client')}`,
    client: (name: string, state: string) => `${capital(name)}, ${state}`,
    states: {
      away: 'not connected',
      connecting: 'connecting',
      connected: 'connected',
      frozen: 'frozen',
      halfOpen: 'half-open: nobody knows yet',
    },
    link: (name: string) => `Link between ${name} and broker`,
    carrying: (count: number) => `${plural(count, 'packet')} on the way`,
    menu: (name: string) => `What to do with ${name}`,
  },

  ladder: {
    label: 'Ladder: time runs down, each column is a client or the broker',
    earlier: 'Earlier',
    later: 'Later',
    session: (name: string) => `Session of ${name}`,
    sessionEnds: 'Session ends',
    cut: 'cut',
    halfOpen: 'half-open',
    lost: 'lost',
    retained: 'retained',
    will: 'Will',
    took: (duration: string) => `took ${duration}`,
    follow: 'Follow the time',
  },

  why: {
    lead: 'Publish a message: here you see for every client whether it got it, and why.',
    choose: 'Message',
    message: (topic: string, payload: string) => `${payload || 'empty payload'} to ${topic}`,
    delivered: ({ filter, qos, retained }: DeliveryFacts) =>
      `Delivered through ${filter} with QoS ${qos}${retained ? ', because it was retained' : ''}.`,
    queued: ({ client, filter, qos }: DeliveryFacts) =>
      `Waits in the Session of ${client}, through ${filter} with QoS ${qos}.`,
    notDelivered: 'Not delivered',
    lower: (message: number, granted: number) =>
      `The lower of the message’s QoS ${message} and the Subscription’s QoS ${granted}.`,
    nobody: 'Nobody has subscribed to this topic.',
    not: whyNot,
  },

  packet: {
    lead: 'Choose a packet on the map, the ladder or in the log.',
    fields: 'Fields',
    bytes: 'Bytes',
    value: 'Value',
    bits: (from: number, to: number) => (from === to ? `bit ${from}` : `bits ${from} to ${to}`),
    range: (from: number, to: number) => (from === to ? `byte ${from}` : `bytes ${from} to ${to}`),
    size: (count: number) => plural(count, 'byte'),
    causedBy: 'Caused by',
    causes: 'Causes',
    edit: 'Edit the bytes',
    resend: 'Send these bytes',
    notHex: (position: number) => `Position ${position}: only 0–9 and a–f, two for each byte.`,
    verdict: 'What the broker’s decoder says',
    fine: 'A correct packet.',
    reason: reasonName,
  },

  session: {
    lead: 'Choose a client.',
    none: 'The broker has no Session for this client.',
    subscriptions: 'Subscriptions',
    noSubscriptions: 'None',
    queue: 'Waiting',
    queued: (count: number) => `${plural(count, 'message')} waiting`,
    inFlight: 'In flight',
    waitsFor: (packet: string) => `waits for ${packet}`,
    held: 'QoS 2 identifiers received and not released',
    receiveMaximum: (used: number, all: number) => `${used} of ${all} in flight (Receive Maximum)`,
    keepAlive: (passed: string, limit: string) => `${passed} of ${limit} without a packet from the client`,
    keepAliveOff: 'Keep Alive is off',
    will: 'Will, ready to be published',
    noWill: 'No Will',
    willDelay: (duration: string) => `after a delay of ${duration}`,
    expires: (duration: string) => `ends in ${duration}`,
    endsWithConnection: 'ends with the connection',
    neverEnds: 'has no end',
    aliases: 'Topic Aliases',
  },

  topics: {
    lead: 'Every topic that was used, with its retained value.',
    empty: 'No message was published yet.',
    retained: 'retained',
    live: 'last seen',
    emptyLevel: '(empty level)',
    subscribers: (count: number) => plural(count, 'Subscription'),
    tryFilter: 'Try a Topic Filter',
    matches: (count: number) => `Matches ${plural(count, 'topic')}`,
    fails: (topic: string, level: number) => `${topic} fails at level ${level}`,
    publishHere: 'Publish to this topic',
    subscribeHere: 'Subscribe to this topic',
    filterErrors: {
      empty: 'A Topic Filter has at least one character.',
      hash: '# may only be the last level, alone in it.',
      plus: '+ must fill its level alone.',
      nul: 'The null character is not allowed.',
    },
  },

  log: {
    lead: 'Everything that happened, one line each.',
    time: 'Time',
    event: 'Event',
    search: 'Search the log',
    shown: (shown: number, all: number) => `${shown} of ${plural(all, 'line')}`,
    by: { user: 'you', script: 'script', client: 'by itself' },
    cause: (line: number) => `because of line ${line}`,
    commands,
    opened: (client: string) => `${capital(client)} opened a link to the broker`,
    sent: (facts: PacketFacts) => `${capital(end(facts.from))} to ${end(facts.to)}: ${content(facts)}`,
    delivered: (facts: PacketFacts) => `Arrived at ${end(facts.to)}: ${content(facts)}`,
    lost: (facts: PacketFacts, percent: number) =>
      `Lost between ${end(facts.from)} and ${end(facts.to)}, ${percent} % of the way: ${content(facts)}`,
    broke: (client: string) => `The link between ${client} and broker broke`,
    learned: (client: string, who: 'client' | 'broker') =>
      who === 'client'
        ? `${capital(client)} notices that its link is gone`
        : `Broker notices that the link to ${client} is gone`,
    closed: (client: string, by: 'client' | 'broker', reason: string) =>
      `${by === 'client' ? capital(client) : 'Broker'} closed the link${by === 'broker' ? ` to ${client}` : ''}${reason && `: ${reason}`}`,
    published: (client: string | null, topic: string) =>
      `Broker accepted a message for ${topic} from ${client ?? 'itself'}`,
    decidedDelivered: ({ client, topic, filter, qos }: DeliveryFacts) =>
      `Broker delivers ${topic} to ${client} through ${filter}, QoS ${qos}`,
    decidedQueued: ({ client, topic }: DeliveryFacts) => `Broker keeps ${topic} for ${client}`,
    decidedNot: (client: string, topic: string, why: string) => `Broker doesn’t deliver ${topic} to ${client}. ${why}`,
    connected: (client: string, sessionPresent: boolean) =>
      sessionPresent
        ? `${capital(client)} is connected and goes on with its Session`
        : `${capital(client)} is connected with a new Session`,
    refusedConnection: (client: string, why: string) => `Broker refused ${client}: ${why}`,
    disconnected: (client: string, sessionKept: boolean) =>
      sessionKept ? `${capital(client)} is gone, its Session stays` : `${capital(client)} is gone, its Session ends`,
    sessionEnded: {
      expired: (client: string) => `The Session of ${client} expired`,
      clean_start: (client: string) => `The Session of ${client} was replaced by a clean start`,
      kicked: (client: string) => `The Session of ${client} was ended by an operator`,
    },
    dropping: (client: string, why: string) => `Broker drops messages for ${client}: ${why}`,
    limit: (why: string) => `A limit was reached: ${why}`,
    told: (client: string, topic: string, payload: string, flags: { qos: number; retain: boolean; dup: boolean }) =>
      `${capital(client)} received ${payload || 'an empty payload'} on ${topic}, QoS ${flags.qos}${flags.retain ? ', RETAIN 1' : ''}${flags.dup ? ', DUP 1' : ''}`,
    refused: {
      not_connected: (client: string) => `${capital(client)} can’t do that: it is not connected`,
      connected: (client: string) => `${capital(client)} can’t do that: it is connected already`,
      topic: (client: string) => `${capital(client)} doesn’t send that: it is no valid topic`,
      no_identifier: (client: string) => `${capital(client)} has no Packet Identifier left`,
      unknown: (client: string) => `${capital(client)} can’t do that now`,
    },
    timer: {
      keep_alive: (client: string) => `Keep Alive of ${client}`,
      ping: (client: string) => `PINGREQ of ${client}`,
      reconnect: (client: string) => `Reconnect of ${client}`,
      will_delay: (client: string) => `Will Delay of ${client}`,
      session_expiry: (client: string) => `End of the Session of ${client}`,
      sys: () => 'Update of $SYS',
      other: () => 'Timer',
    },
    restarted: (storage: boolean): string =>
      storage ? 'The broker restarted from what was stored' : 'The broker restarted empty',
    idle: 'Nothing is on its way',
  },

  view,
  app,

  transport: {
    label: 'Time',
    play: 'Play',
    pause: 'Pause',
    step: 'Step',
    stepBack: 'Step back',
    nextDelivery: 'Next delivery',
    nextTimer: 'Next timer',
    timerIn: (what: string, duration: string) => `In ${duration}: ${what}`,
    noTimer: 'No timer is running',
    toStart: 'To the beginning',
    toEnd: 'To the end',
    speed: 'Speed',
    times: (factor: string) => `${factor}×`,
    playhead: 'Position in time',
    position: (now: string, all: string) => `${now} of ${all}`,
    paused: (events: number) => `Paused after ${plural(events, 'event')}`,
    branches: 'Branches',
    branch: (number: number) => `Branch ${number}`,
    branched: (number: number) => `You acted in the past: this is branch ${number}. The old future is kept.`,
    compare: 'Side by side',
    compareWith: 'Compare with',
    onlyOne: 'There is only one branch so far. Rewind and do something else.',
  },

  sandbox: {
    title: 'Sandbox',
    presets: {
      title: 'Begin with',
      empty: 'An empty house',
      kitchen: 'Kitchen: sensor and phone',
      home: 'Home: kitchen, restroom, phone, dashboard',
      restroom: 'Restroom: Will and presence',
    },
    add: 'Add a client',
    remove: (name: string) => `Remove ${name}`,
    icons: { sensor: 'sensor', phone: 'phone', server: 'server', dashboard: 'dashboard' },
    name: field('Name'),
    icon: field('Picture'),
    reconnect: field('Comes back after (s)', 'Empty: never by itself.'),
    ack: field('Acknowledge', 'By hand keeps QoS 1 and 2 messages in flight.'),
    acks: { auto: 'at once', manual: 'by hand' },
    verbs: {
      connect: 'Connect',
      disconnect: 'Disconnect',
      disconnectWithWill: 'Disconnect with Will',
      subscribe: 'Subscribe',
      unsubscribe: 'Unsubscribe',
      publish: 'Publish',
      ack: 'Acknowledge one',
      raw: 'Send bytes',
      cut: 'Pull the plug',
      cutWhen: 'Cut when…',
      cancelCutWhen: 'Don’t cut after all',
      halfOpen: 'Go silent (half-open)',
      heal: 'Heal the link',
      freeze: 'Freeze the program',
      thaw: 'Let it go on',
      restartKept: 'Restart with storage',
      restartEmpty: 'Restart without storage',
    },
    connect: {
      title: 'CONNECT',
      version: field('Version'),
      clientIdentifier: field('Client Identifier', 'Unique. Whoever comes with the same one takes over.'),
      cleanStart: field('Clean Start', 'Discard the old Session. Called Clean Session in 3.1.1.'),
      keepAlive: field('Keep Alive (s)', '0 turns it off.'),
      sessionExpiry: field('Session Expiry Interval (s)', '0: the Session ends with the connection. 5.0 only.'),
      receiveMaximum: field('Receive Maximum', 'How many QoS 1 and 2 messages may be in flight towards it. 5.0 only.'),
      userName: field('User Name'),
      password: field('Password', 'Shown here and in links. Don’t use a real one.'),
      will: field('Will'),
      willTopic: field('Will Topic'),
      willPayload: field('Will Payload'),
      willQos: field('Will QoS'),
      willRetain: field('Will Retain'),
      willDelay: field('Will Delay Interval (s)', '5.0 only.'),
    },
    publish: {
      title: 'PUBLISH',
      topic: field('Topic Name', 'No wildcards.'),
      payload: field('Payload', 'Empty with RETAIN clears the Retained Message.'),
      qos: field('QoS'),
      retain: field('RETAIN', 'The broker keeps it for those who subscribe later.'),
      expiry: field('Message Expiry Interval (s)', 'Empty: none. 5.0 only.'),
      contentType: field('Content Type', '5.0 only.'),
      responseTopic: field('Response Topic', '5.0 only.'),
      correlation: field('Correlation Data', '5.0 only.'),
      user: field('User Properties', 'Names and values. 5.0 only.'),
      addUser: 'Add a User Property',
    },
    subscribe: {
      title: 'SUBSCRIBE',
      filter: field('Topic Filter', '+ is one level, # all the rest.'),
      qos: field('Maximum QoS'),
      noLocal: field('No Local', 'None of its own messages. 5.0 only.'),
      retainAsPublished: field('Retain As Published', 'Keep RETAIN as it was sent. 5.0 only.'),
      retainHandling: field('Retain Handling', '5.0 only.'),
      retainHandlings: ['send retained messages', 'only if the Subscription is new', 'send none'] as readonly string[],
      identifier: field('Subscription Identifier', 'Empty: none. 5.0 only.'),
    },
    link: {
      title: 'Link',
      latency: field('Latency, one way (ms)'),
      jitter: field('Jitter (ms)', 'Delays, but never changes the order.'),
      bandwidth: field('Bytes per second', '0: no limit.'),
      packet: field('Packet'),
      toward: field('Direction'),
      towards: { broker: 'to the broker', client: 'to the client', both: 'both ways' },
      nth: field('Which one', '1 is the next.'),
      at: field('When'),
      moments: { sent: 'as it is sent', half_way: 'half-way', delivered: 'as it arrives' },
    },
    brokerForm: {
      title: 'Broker',
      storage: field('Storage', 'Whether a restart finds what was stored.'),
      receiveMaximum: field('Receive Maximum', 'Unfinished QoS 1 and 2 messages from one client.'),
      maximumQos: field('Maximum QoS'),
      queue: field('Messages waiting in one Session'),
      sys: field('$SYS topics', 'The broker publishes its own numbers.'),
    },
    raw: field('Bytes (hexadecimal)'),
    predicted: 'Prediction',
    problems: {
      required: 'This is needed.',
      number: (min: number, max: number) => `A whole number from ${min} to ${max}.`,
      wildcard: 'A Topic Name has no + and no #.',
      tooLong: 'Longer than 65,535 bytes.',
      taken: (name: string) => `${name} exists already.`,
    },
  },

  gallery: {
    title: 'Gallery',
    lead: 'Every part of the simulator in every state.',
    state: (name: string) => `State: ${name}`,
  },

  share: {
    title: 'Share',
    link: 'Link to this scenario',
    linkHint: 'All of it is in the link; nothing is stored anywhere.',
    tooLong: (kilobytes: number) =>
      `This link would have ${kilobytes} kB, more than many programs take. Save it as a file instead.`,
    file: 'Save as a file',
    openFile: 'Open a file',
    svg: 'Ladder as SVG',
    mermaid: 'Ladder as Mermaid text',
    test: 'MQTT.js test',
    testHint: 'A test stub of this scenario that runs with wasmqtt/testing.',
    embed: 'Embed in a page',
  },

  embed: {
    open: 'Open in the simulator',
    label: 'MQTT simulator',
  },

  errors: {
    title: 'This link can’t be opened',
    safe: 'Your progress is not touched.',
    toStart: 'To the start page',
    notALink: 'The part after # is not a link of this simulator.',
    cutOff: (position: number) =>
      `The link ends too early or was changed, at character ${position}. Copy it once more, whole.`,
    version: (found: string, known: string) =>
      `The link is of version ${found}; this simulator knows ${known}. Load the page again to get the newest one.`,
    notJson: (line: number, column: number) => `Not readable at line ${line}, column ${column}.`,
    unknownField: ({ where }: Mistake) => `There is no field ${where}.`,
    missing: ({ where }: Mistake) => `The field ${where} is missing.`,
    wrong: ({ where, found, allowed }: Mistake) =>
      `${where || 'The scenario'}${found === undefined ? ' is not valid' : ` is ${found}`}${allowed === undefined ? '.' : `; allowed: ${allowed}.`}`,
    noClient: ({ where, found }: Mistake) => `${where} names ${found ?? ''}, but there is no such client.`,
    twice: ({ where, found }: Mistake) => `${where}: ${found ?? ''} is there twice.`,
    noLesson: (id: string) => `There is no lesson ${id}.`,
    tooLarge: (limit: string) => `More than ${limit}.`,
    noStorage: 'This browser doesn’t let the page store anything, so your progress is forgotten when you leave.',
    crashed: 'The simulator stopped because of a fault of ours. Rewind or start over; the details are in the log.',
  },

  keys: {
    title: 'Keys',
    enabled: 'Keys are on',
    rows: [
      ['Space', 'play or pause'],
      ['← →', 'one step back, one step on'],
      ['Home End', 'to the beginning, to the end'],
      ['.', 'next delivery'],
      ['1 – 6', 'change the view or the tab'],
      ['?', 'this list'],
    ] as readonly (readonly [string, string])[],
  },

  glossary: {
    title: 'Glossary',
    lead: 'The words of MQTT, as this page uses them.',
    see: 'See also',
    search: 'Search the glossary',
    none: (text: string) => `Nothing found for “${text}”.`,
  },

  reasons,
};

export type Strings = typeof en;
