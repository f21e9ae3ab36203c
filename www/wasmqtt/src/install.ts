/**
 * For clients that only know the page's own `WebSocket`: addresses that match lead into a broker, all others go to the
 * real one, untouched. It is asked for and can be taken back; nothing changes by importing this package.
 */
import type { Broker } from './broker.js';
import { only, wrong } from './options.js';
import { BrokerSocket } from './socket.js';

/** Which addresses lead into the broker. */
export interface InstallOptions {
  /** As text, in which `*` stands for anything, such as `ws://home.invalid/*`; as a pattern; or as a function. */
  match: string | RegExp | ((url: string) => boolean);
}

/**
 * Replaces the global `WebSocket`; the function that comes back puts it back. Addresses under `.invalid` are a good
 * choice: they exist nowhere else, so that a mistake never reaches a stranger.
 * @throws TypeError that names what is wrong, such as a `match` that is none of the three.
 */
export function installWebSocket(broker: Pick<Broker, 'createWebsocket'>, options: InstallOptions): () => void {
  only('options', options, ['match']);
  if (typeof broker?.createWebsocket !== 'function') throw wrong('broker', broker, 'a Broker or SharedBroker');
  const matches = matcher(options.match);
  const scope = globalThis as { WebSocket?: typeof WebSocket };
  const real = scope.WebSocket;
  const replaced = new Proxy(real ?? BrokerSocket, {
    get: (target, name) =>
      // A socket of ours is a WebSocket to everybody who asks.
      name === Symbol.hasInstance
        ? (object: unknown) => object instanceof target || object instanceof BrokerSocket
        : Reflect.get(target, name),
    construct(_, [address, protocols]: [string | URL, (string | string[])?]) {
      const url = normal(String(address));
      if (matches(url)) return broker.createWebsocket(url, protocols);
      if (real === undefined) throw new DOMException(`there is no WebSocket here for ${url}`, 'NotSupportedError');
      return protocols === undefined ? new real(address) : new real(address, protocols);
    },
  }) as unknown as typeof WebSocket;
  scope.WebSocket = replaced;
  return () => {
    // Who replaced it after us keeps what they have.
    if (scope.WebSocket !== replaced) return;
    if (real === undefined) delete scope.WebSocket;
    else scope.WebSocket = real;
  };
}

function matcher(match: InstallOptions['match']): (url: string) => boolean {
  if (typeof match === 'function') return match;
  if (match instanceof RegExp) return (url) => url.search(match) >= 0;
  if (typeof match !== 'string') {
    throw wrong('match', match, "a text such as 'ws://home.invalid/*', a RegExp, a function");
  }
  const escaped = match.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`^${escaped.join('.*')}$`);
  return (url) => pattern.test(url) || pattern.test(url.replace(/\/$/, ''));
}

/** As the platform writes it: in lower case where case doesn't matter, with a path. */
function normal(url: string): string {
  try {
    return new URL(url, (globalThis.location as Location | undefined)?.href).href;
  } catch {
    return url;
  }
}
