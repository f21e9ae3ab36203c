/**
 * `wasmqtt/node`: ways into a broker that only Node has. A stream for MQTT.js in the same process, and real listeners,
 * TCP and WebSocket, so that native clients and other processes can connect to a broker of a test suite.
 */
import './source.node.js';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Broker } from './broker.js';
import { whole, wrong } from './options.js';
import { agree } from './socket.js';

/** Bytes under way to a stream or socket that has not said that it took them. */
const CREDIT_BYTES = 256 << 10;
/** Bytes that the broker has not taken yet above which a socket is not read. */
const UNREAD_BYTES_MAX = 64 << 10;
/** How long a connection may go on to take its last bytes when the listener closes. */
const GRACE_MS = 1_000;

/**
 * A connection to the broker as a Node stream: `new MqttClient(() => duplex(broker), options)`.
 */
export function duplex(broker: Broker): Duplex {
  let taken: (() => void) | undefined;
  const stream = new Duplex({
    read() {
      taken?.();
    },
    write(chunk: Uint8Array, _, done) {
      link.received(chunk);
      done();
    },
    final(done) {
      link.gone();
      this.push(null);
      done();
    },
    destroy(error, done) {
      link.gone();
      done(error);
    },
  });
  let owed = 0;
  const link = broker.link(
    {
      deliver(bytes) {
        owed += bytes.length;
        if (stream.push(Buffer.from(bytes.buffer))) taken?.();
      },
      close: () => stream.push(null),
    },
    { address: 'stream', creditBytes: CREDIT_BYTES },
  );
  taken = () => {
    const bytes = owed;
    owed = 0;
    if (bytes > 0) link.taken(bytes);
  };
  return stream;
}

/** Where to listen. */
export interface ListenOptions {
  /** The address; default 127.0.0.1, which only this machine can reach. */
  host?: string;
  /** TCP port; 0 lets the system choose. Not given: no TCP. */
  port?: number;
  /** Port for WebSocket, at any path; 0 lets the system choose. Not given: no WebSocket. */
  wsPort?: number;
}

/** Open listeners. */
export interface Listening extends AsyncDisposable {
  /** The TCP port that it really has. */
  readonly port: number | undefined;
  /** The WebSocket port that it really has. */
  readonly wsPort: number | undefined;
  /** Closes the listeners and all their connections; resolves when they are gone. The broker goes on. */
  close(): Promise<void>;
}

/**
 * Opens the broker to real connections.
 * @throws TypeError that names a wrong option; the system's error if a port can't be had.
 * @example
 * const { port } = await listen(broker, { port: 0 });
 */
export async function listen(broker: Broker, options: ListenOptions): Promise<Listening> {
  const { host = '127.0.0.1' } = options;
  const unknown = Object.keys(options).find((name) => !['host', 'port', 'wsPort'].includes(name));
  if (unknown !== undefined) throw new TypeError(`${unknown}: there is no such option; allowed: host, port, wsPort`);
  if (typeof host !== 'string') throw wrong('host', host, 'an address');
  const ports = { port: options.port, wsPort: options.wsPort };
  for (const [name, port] of Object.entries(ports)) if (port !== undefined) whole(name, port, 0, 0xffff);
  if (ports.port === undefined && ports.wsPort === undefined) throw new TypeError('port, wsPort: one must be given');
  const open = new Set<() => Promise<void>>();
  const servers: Server[] = [];
  const begin = async (port: number | undefined, make: () => Server): Promise<number | undefined> => {
    if (port === undefined) return undefined;
    const server = make();
    await listening(server, port, host);
    servers.push(server);
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  };
  const close = async () => {
    const ended = servers.map((server) => new Promise((resolve) => server.close(resolve)));
    await Promise.all([...open].map((end) => end()));
    await Promise.all(ended);
  };
  try {
    const port = await begin(ports.port, () =>
      createServer({ noDelay: true }, (socket) => serveTcp(broker, socket, open)),
    );
    const wsPort = await begin(ports.wsPort, () => serveWebSockets(broker, open));
    return { port, wsPort, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

type Open = Set<() => Promise<void>>;

function serveTcp(broker: Broker, socket: Socket, open: Open): void {
  const link = broker.link(
    {
      deliver: (bytes) => socket.write(bytes, () => link.taken(bytes.length)),
      close: () => socket.end(),
      cut: () => socket.destroy(),
    },
    { address: `${socket.remoteAddress}:${socket.remotePort}`, creditBytes: CREDIT_BYTES, local: false },
  );
  socket.on('data', (bytes) => {
    link.received(bytes);
    if (link.unread() < UNREAD_BYTES_MAX) return;
    socket.pause();
    const resume = () => {
      if (link.unread() >= UNREAD_BYTES_MAX && !socket.destroyed) setImmediate(resume);
      else socket.resume();
    };
    setImmediate(resume);
  });
  // What is wrong with a socket is followed by its close.
  socket.on('error', () => {});
  socket.on('close', () => {
    link.gone();
    open.delete(end);
  });
  const end = () =>
    new Promise<void>((resolve) => {
      const timeout = setTimeout(() => socket.destroy(), GRACE_MS);
      socket.once('close', () => {
        clearTimeout(timeout);
        resolve();
      });
      socket.end();
    });
  open.add(end);
}

function serveWebSockets(broker: Broker, open: Open): Server {
  const http = createHttpServer((_, response) => response.writeHead(426).end('MQTT over WebSocket is spoken here.\n'));
  const server = new WebSocketServer({
    server: http,
    handleProtocols: (offered) => agree([...offered], true) ?? false,
  });
  server.on('connection', (socket, request) => {
    // [5:MQTT-6.0.0-3]: a client offers MQTT, or it is none.
    if (socket.protocol === '') {
      socket.close(1002, 'the subprotocol is mqtt');
      return;
    }
    serveWebSocket(broker, socket, `${request.socket.remoteAddress}:${request.socket.remotePort}`, open);
  });
  return http;
}

function serveWebSocket(broker: Broker, socket: WebSocket, address: string, open: Open): void {
  const link = broker.link(
    {
      deliver: (bytes) => socket.send(bytes, () => link.taken(bytes.length)),
      close: () => socket.close(1000),
      cut: () => socket.terminate(),
    },
    { address, creditBytes: CREDIT_BYTES, local: false },
  );
  socket.on('message', (data, isBinary) => {
    // [5:MQTT-6.0.0-1]: MQTT is sent in binary messages.
    if (!isBinary) {
      socket.close(1003, 'MQTT is sent in binary messages');
      return;
    }
    link.received(data as Buffer);
    if (link.unread() < UNREAD_BYTES_MAX) return;
    socket.pause();
    const resume = () => {
      if (link.unread() >= UNREAD_BYTES_MAX && socket.readyState === socket.OPEN) setImmediate(resume);
      else socket.resume();
    };
    setImmediate(resume);
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    link.gone();
    open.delete(end);
  });
  const end = () =>
    new Promise<void>((resolve) => {
      const timeout = setTimeout(() => socket.terminate(), GRACE_MS);
      socket.once('close', () => {
        clearTimeout(timeout);
        resolve();
      });
      socket.close(1001);
    });
  open.add(end);
}
