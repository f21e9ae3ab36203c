/** All that the browser entries export. */
export { Broker, type PublishOptions, type TraceEvent } from './broker.js';
export type {
  AuthErrorEvent,
  BrokerEvents,
  ConnectionEvent,
  DecisionEvent,
  NotDelivered,
  PacketEvent,
  Qos,
  SessionEvent,
} from './events.js';
export type { BrokerView, InFlightView, MessageView, SessionView, SubscriptionView } from './inspect.js';
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
export { connectPort, type PortOptions } from './port.js';
export type { BrokerSocket } from './socket.js';
export type { StorageEvent } from './storage/journal.js';
export type { StorageName, StorageOptions } from './storage/open.js';
export { type Durability, StoreError, type StoreErrorCode } from './storage/store.js';
export type { WasmSource } from './wasm.js';
