/**
 * What the tabs of a shared broker and its host say to each other. The host is the one context (a SharedWorker or a
 * tab) that runs the broker; a member is a tab that uses it. Who is host is found out on a BroadcastChannel that all of
 * them share; bytes then go over a wire of the member's own: a MessagePort to the SharedWorker, or a BroadcastChannel
 * that only the two listen to, since a MessagePort can't be handed from tab to tab.
 *
 * Every message bears the epoch, a number that grows with every new host, so that nobody takes what a dead host said
 * for the word of a new one. Locks and the channel are the same for all builds: there is one host whatever build it is
 * of. A protocol number says who can talk to whom; the higher one wins and the other retires.
 */

/** Grows when a message changes its meaning. Builds with the same number work together. */
export const PROTOCOL = 1;

/** What runs the broker: a SharedWorker, an elected tab, or this page for itself alone. */
export type Mode = 'shared-worker' | 'tab' | 'own';

/** What is said on the channel that all share, and, to members of a SharedWorker, on its port. */
export type Control =
  /** A member or a candidate asks who is host. */
  | { say: 'who'; protocol: number; from: string }
  /** The host answers, and says so when it becomes host. */
  | { say: 'host'; protocol: number; from: string; epoch: number; mode: Mode }
  /** A member asks for a wire; on a port the port is the wire. `locked`: it holds its lock as a sign of life. */
  | { say: 'join'; protocol: number; from: string; epoch: number; locked: boolean; heartbeatMs: number }
  /** A candidate could not make a broker. */
  | { say: 'failed'; protocol: number; from: string; error: Failure };

/** An error on its way between contexts. */
export interface Failure {
  name: string;
  message: string;
  code?: string;
}

/** What goes over a wire, in the order in which it happened. */
export type Frame =
  /** To the member: it is admitted. `storage` is what the broker was made with. */
  | ['welcome', { mode: Mode; storage: string; locked: boolean }]
  /** To the host: a new connection, with a number that the member chose. */
  | ['open', number]
  /** Both ways: bytes of a connection. */
  | ['data', number, Uint8Array<ArrayBuffer>]
  /** Both ways: this many bytes were taken, and as many more may come. */
  | ['took', number, number]
  /** Both ways: the connection is over. To the member: whether the broker ended it as MQTT says. */
  | ['close', number, boolean]
  /** To the host: call a function of the broker; answered under the same number. */
  | ['call', number, string, unknown[]]
  | ['result', number, unknown]
  | ['error', number, Failure]
  /** To the host: tell me of these events of the broker from now on. */
  | ['watch', string]
  | ['unwatch', string]
  | ['event', string, unknown]
  /** Signs of life where there are no locks; every `ping` is answered. */
  | ['ping']
  | ['pong']
  /** Both ways: I am leaving. */
  | ['bye'];

/** A batch of frames. */
export interface Batch {
  epoch: number;
  frames: Frame[];
}

/** Bytes that may be under way on one connection in each direction. */
export const CREDIT_BYTES = 1 << 20;

const prefix = (name: string) => `wasmqtt:shared:${name}`;
/** The channel that all share. */
export const controlName = (name: string) => prefix(name);
/** The channel of one member. */
export const wireName = (name: string, epoch: number, member: string) => `${prefix(name)}:${epoch}:${member}`;
/** Who holds this lock is host. */
export const hostLock = (name: string) => `${prefix(name)}:host`;
/** Held by the host of an epoch as long as it lives. */
export const aliveLock = (name: string, epoch: number) => `${prefix(name)}:${epoch}:host`;
/** Held by a member as long as it lives. */
export const memberLock = (name: string, epoch: number, member: string) => `${prefix(name)}:${epoch}:member:${member}`;

/** The highest epoch that these locks tell of; 0 if none does. */
export function epochOf(name: string, locks: { name?: string }[]): number {
  let highest = 0;
  for (const lock of locks) {
    const rest = lock.name?.startsWith(`${prefix(name)}:`) ? lock.name.slice(prefix(name).length + 1) : '';
    const [, epoch] = /^(\d+):/.exec(rest) ?? [];
    highest = Math.max(highest, Number(epoch ?? 0));
  }
  return highest;
}

/** An error that was sent, as it was thrown. */
export function errorOf({ name, message, code }: Failure): Error {
  // What names a wrong option is a TypeError wherever the broker is.
  const error = name === 'TypeError' ? new TypeError(message) : new Error(message);
  return Object.assign(error, { name }, code === undefined ? {} : { code });
}

/** An error, so that it can be sent. */
export function failureOf(error: unknown): Failure {
  const { name = 'Error', message = String(error), code } = (error ?? {}) as Partial<Failure>;
  return { name, message, ...(typeof code === 'string' ? { code } : {}) };
}
