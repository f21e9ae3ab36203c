/**
 * A broker as its host needs it: connections with credit, and the functions and events that members may ask for.
 */
import type { BridgeOptions } from '../bridge.js';
import type { Broker } from '../broker.js';
import type { KickOptions, PublishOptions } from '../commands.js';
import type { BrokerEvents, Qos } from '../events.js';
import type { Message } from '../local.js';
import type { BrokerOptions, Limits, Permissions } from '../options.js';
import { BRIDGES, HostedBridges } from './bridges.js';
import type { Hosted } from './host.js';
import { type Failure, failureOf } from './protocol.js';

/**
 * What a shared broker is made with: what `Broker.create` takes and can be sent to a worker. What can't, `auth`
 * for instance, has its place in `create`.
 */
export type HostedOptions = Pick<
  BrokerOptions,
  | 'storage'
  | 'durability'
  | 'persist'
  | 'seed'
  | 'limits'
  | 'permissions'
  | 'keepAliveGraceS'
  | 'sysIntervalS'
  | 'allowNoSubprotocol'
> & {
  /** Where the core's WebAssembly is: an address, its bytes or a compiled module. */
  wasm?: string | ArrayBuffer | WebAssembly.Module;
};

/**
 * Makes the broker where it is hosted. The options have `wait` and `signal` for the storage, which the host before may
 * still be letting go of: hand them on to `Broker.create`.
 */
export type CreateBroker = (options: BrokerOptions) => Promise<Broker>;

/** What a member hears of a subscription: first whether it is granted, then its messages. */
export type SubscriptionEvent = { granted: true } | { error: Failure } | { message: Message };

/** What members may call; the types of the arguments are those of `SharedBroker`, which calls them. */
type Call = (broker: Broker, first: never, second: never, third: never) => unknown;

const FUNCTIONS: { [name: string]: Call } = {
  inspect: (broker, clientIdentifier?: string) =>
    clientIdentifier === undefined ? broker.inspect() : broker.inspect(clientIdentifier),
  counters: (broker) => broker.counters(),
  publish: (broker, topic: string, payload: string | Uint8Array, options: PublishOptions) =>
    broker.publish(topic, payload, options),
  kick: (broker, clientIdentifier: string, options: KickOptions) => broker.kick(clientIdentifier, options),
  setLimits: (broker, limits: Partial<Limits>) => broker.setLimits(limits),
  setPermissions: (broker, permissions: Permissions) => broker.setPermissions(permissions),
  retryStorage: (broker) => broker.retryStorage(),
  export: (broker) => broker.export(),
};

/** Gives a broker to its host. */
export function hosted(broker: Broker, storage: string): Hosted {
  const bridges = new HostedBridges(broker);
  return {
    storage,
    lost: new Promise((resolve) => {
      broker.on('storage', ({ type }) => type === 'lost' && resolve());
    }),
    connect: ({ deliver, close, resumed }, creditBytes) =>
      broker.link({ deliver, close: () => close(true), resumed }, { address: 'tab', creditBytes }),
    call: async (name, [first, second, third]) => {
      if (name === 'bridge') return bridges.add(first as BridgeOptions);
      if (name === 'removeBridge') return bridges.remove(first as string);
      return FUNCTIONS[name]?.(broker, first as never, second as never, third as never);
    },
    watch: (event, tell) => {
      if (event === BRIDGES) return bridges.watch(tell);
      const [, qos, filter] = /^subscribe:\d+:([012]):(.*)$/s.exec(event) ?? [];
      if (filter !== undefined) return subscribed(broker, filter, Number(qos) as Qos, tell);
      return broker.on(event as keyof BrokerEvents, tell);
    },
    close: () => broker.close(),
  };
}

function subscribed(broker: Broker, filter: string, qos: Qos, tell: (event: SubscriptionEvent) => void): () => void {
  let over = false;
  let end: (() => void) | undefined;
  broker
    .subscribe(filter, (message) => tell({ message: plain(message) }), { qos })
    .then(
      (granted) => {
        if (over) return granted();
        end = granted;
        tell({ granted: true });
      },
      (error: unknown) => tell({ error: failureOf(error) }),
    );
  return () => {
    over = true;
    end?.();
  };
}

const plain = ({ topic, payload, qos, retain }: Message): Message => ({ topic, payload, qos, retain });
