/** All that the browser entries export. */
export type { Bridge, BridgeOptions, BridgeTopic } from './bridge.js';
export { Broker } from './broker.js';
export type { KickOptions, Payload, PublishOptions } from './commands.js';
export type { WebSocketConstructor, WebSocketLike } from './dial.js';
export type {
  AuthErrorEvent,
  BridgeEvent,
  BrokerEvents,
  ConnectionEvent,
  Counters,
  DecisionEvent,
  NotDelivered,
  PacketEvent,
  Qos,
  SessionEvent,
} from './events.js';
export type { BridgeView, BrokerView, InFlightView, MessageView, SessionView, SubscriptionView } from './inspect.js';
export { type InstallOptions, installWebSocket } from './install.js';
export type { Message } from './local.js';
export type {
  Authenticate,
  BrokerOptions,
  ConnectInfo,
  ConnectVerdict,
  Limits,
  Permissions,
  Rules,
} from './options.js';
export type { PortOptions } from './port.js';
export { connectPort } from './port-client.js';
export type { BrokerSocket } from './socket.js';
export type { StorageEvent } from './storage/journal.js';
export type { StorageName } from './storage/name.js';
export type { StorageOptions } from './storage/open.js';
export { type Durability, StoreError, type StoreErrorCode } from './storage/store.js';
export type { TraceEvent } from './trace.js';
export type { WasmSource } from './wasm.js';
