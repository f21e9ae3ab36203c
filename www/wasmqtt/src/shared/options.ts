/**
 * What a shared broker is made with, and where that is checked.
 */
import { check, whole, wrong } from '../options.js';
import type { CreateBroker, HostedOptions } from './hosted.js';

/** What `SharedBroker.connect` takes; what is left out has its default. */
export interface SharedBrokerOptions extends HostedOptions {
  /** Which broker: pages with the same name share one. 1 to 100 characters without `:`, `/` and `\`. */
  name: string;
  /**
   * What to try first. `shared-worker`, the default, needs module SharedWorkers; `tab` elects a tab, which needs Web
   * Locks. What is not there is passed over, in the end for a broker of this page's own.
   */
  prefer?: 'shared-worker' | 'tab';
  /**
   * The worker: the address of a file that imports `wasmqtt/shared-worker` or calls `serveShared`, or a function that
   * makes the SharedWorker, which every bundler understands. It must be a module worker and the same in all pages.
   * `false`: none. Default: the file `shared-worker.js` beside this one.
   */
  worker?: URL | string | (() => SharedWorker) | false;
  /**
   * Makes the broker if it is hosted in this page, for what can't be sent to a worker (`auth`). For a worker
   * see `serveShared`. Default: `Broker.create(options)`.
   */
  create?: CreateBroker;
  /** How long a silent tab or host counts as alive where there are no Web Locks, in milliseconds. Default 5,000. */
  heartbeatMs?: number;
  /** How long `connect`, and later each socket, waits for a host, in milliseconds. Default 15,000. */
  timeoutMs?: number;
}

/** The worker: what the user gives, or the file beside this one. */
export function makeWorker(worker: URL | string | (() => SharedWorker) | undefined): SharedWorker {
  if (typeof worker === 'function') return worker();
  if (worker !== undefined) return new SharedWorker(worker, { type: 'module', name: 'wasmqtt' });
  return new SharedWorker(new URL('./shared-worker.js', import.meta.url), { type: 'module', name: 'wasmqtt' });
}

/** What the broker itself is made with. */
export function hostedOptions(options: SharedBrokerOptions): HostedOptions {
  const { name: _, prefer, worker, create, heartbeatMs, timeoutMs, ...rest } = options;
  return rest;
}

/** Checks all that need not be tried. @throws TypeError that names the option. */
export function checkOptions(options: SharedBrokerOptions): void {
  if (typeof options !== 'object' || options === null) throw wrong('options', options, 'an object');
  const { name, prefer, worker, create, heartbeatMs, timeoutMs } = options;
  if (typeof name !== 'string' || !/^[^:/\\]{1,100}$/.test(name)) {
    throw wrong('name', name, "a text of 1 to 100 characters without ':', '/' and '\\'");
  }
  if (prefer !== undefined && prefer !== 'shared-worker' && prefer !== 'tab') {
    throw wrong('prefer', prefer, "'shared-worker' or 'tab'");
  }
  const isWorker = typeof worker === 'string' || worker instanceof URL || typeof worker === 'function';
  if (worker !== undefined && worker !== false && !isWorker) {
    throw wrong('worker', worker, 'an address, a function that makes a SharedWorker, or false');
  }
  if (create !== undefined && typeof create !== 'function') throw wrong('create', create, 'a function');
  whole('heartbeatMs', heartbeatMs ?? 5_000, 100, 3_600_000);
  whole('timeoutMs', timeoutMs ?? 15_000, 100, 3_600_000);
  const rest: Record<string, unknown> = { ...hostedOptions(options) };
  for (const option of ['auth', 'import', 'clock', 'wait', 'signal', 'locks', 'indexedDB']) {
    if (rest[option] !== undefined) throw new TypeError(`${option}: not for a shared broker; see the option create`);
  }
  if (String(options.storage).startsWith('opfs:')) {
    throw wrong('storage', options.storage, "'memory:' or 'idb:NAME': neither tabs nor SharedWorkers can use opfs");
  }
  check(rest);
}
