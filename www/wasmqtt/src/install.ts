/**
 * For clients that only know the page's own `WebSocket`: addresses that match lead into a broker, all others go to the
 * real one, untouched. It is asked for and can be taken back; nothing changes by importing this package.
 */
import type { Broker } from './broker.js';
import { BrokerSocket } from './socket.js';

/** Which addresses lead into the broker. */
export interface InstallOptions {
  /** As text, in which `*` stands for anything, such as `ws://home.invalid/*`; as a pattern; or as a function. */
  match: string | RegExp | ((url: string) => boolean);
}

/**
 * Replaces the global `WebSocket`; the function that comes back puts it back. Addresses under `.invalid` are a good
 * choice: they exist nowhere else, so that a mistake never reaches a stranger.
 * @throws TypeError if `match` is none of the three.
 */
export function installWebSocket(broker: Pick<Broker, 'createWebsocket'>, { match }: InstallOptions): () => void {
  const matches = matcher(match);
  const scope = globalThis as { WebSocket?: typeof WebSocket };
  const real = scope.WebSocket;
  const replaced = new Proxy(real ?? BrokerSocket, {
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
    throw new TypeError(
      `match: found ${String(match)}; allowed: a text such as 'ws://home.invalid/*', a RegExp, a function`,
    );
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
