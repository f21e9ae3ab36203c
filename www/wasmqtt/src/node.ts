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
 * A connection to the broker as a Node stream: for MQTT.js, and whatever else speaks MQTT over a stream. A stream is one
 * connection; its end or `destroy` is a lost one.
 * @throws Error if the broker is closed.
 * @example
 * const client = new MqttClient(() => duplex(broker), { clientId: 'kitchen' });
 */
export function duplex(broker: Broker): Duplex {
  let taken: (() => void) | undefined;
  /** The next chunk is wanted; kept back while the broker does not read. */
  let wanted: (() => void) | undefined;
  const stream = new Duplex({
    read() {
      taken?.();
    },
    write(chunk: Uint8Array, _, done) {
      link.received(chunk);
      if (link.unread() < UNREAD_BYTES_MAX) done();
      else wanted = done;
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
      cut: () => stream.destroy(),
      resumed() {
        wanted?.();
        wanted = undefined;
      },
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

/** A connection of either kind. */
interface Connection {
  address: string;
  send(bytes: Uint8Array, taken: () => void): void;
  pause(): void;
  resume(): void;
  /** Sends what is left and closes; `byUs` says that the listener ends, not the broker the client. */
  end(byUs: boolean): void;
  /** Gives up. */
  destroy(): void;
  /** Calls back when it is gone. */
  onclose(gone: () => void): void;
}

/** Leads a connection into the broker; gives what takes its bytes. */
function serve(broker: Broker, connection: Connection, open: Open): (bytes: Uint8Array) => void {
  const patience = () => {
    const timeout = setTimeout(() => connection.destroy(), GRACE_MS);
    connection.onclose(() => clearTimeout(timeout));
  };
  const link = broker.link(
    {
      deliver: (bytes) => connection.send(bytes, () => link.taken(bytes.length)),
      close() {
        connection.end(false);
        // Who does not take the last bytes, and does not go, is not waited for.
        patience();
      },
      cut: () => connection.destroy(),
      resumed: () => connection.resume(),
    },
    { address: connection.address, creditBytes: CREDIT_BYTES, local: false },
  );
  const end = () =>
    new Promise<void>((resolve) => {
      connection.onclose(resolve);
      connection.end(true);
      patience();
    });
  open.add(end);
  connection.onclose(() => {
    link.gone();
    open.delete(end);
  });
  return (bytes) => {
    link.received(bytes);
    if (link.unread() >= UNREAD_BYTES_MAX) connection.pause();
  };
}

function serveTcp(broker: Broker, socket: Socket, open: Open): void {
  // What is wrong with a socket is followed by its close.
  socket.on('error', () => {});
  const connection: Connection = {
    address: `${socket.remoteAddress}:${socket.remotePort}`,
    send: (bytes, taken) => socket.write(bytes, taken),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: () => socket.end(),
    destroy: () => socket.destroy(),
    onclose: (gone) => socket.once('close', gone),
  };
  if (broker.isClosed) socket.destroy();
  else socket.on('data', serve(broker, connection, open));
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
  socket.on('error', () => {});
  const connection: Connection = {
    address,
    send: (bytes, taken) => socket.send(bytes, taken),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: (byUs) => socket.close(byUs ? 1001 : 1000),
    destroy: () => socket.terminate(),
    onclose: (gone) => socket.once('close', gone),
  };
  if (broker.isClosed) {
    socket.terminate();
    return;
  }
  const take = serve(broker, connection, open);
  socket.on('message', (data, isBinary) => {
    // [5:MQTT-6.0.0-1]: MQTT is sent in binary messages.
    if (isBinary) take(data as Buffer);
    else socket.close(1003, 'MQTT is sent in binary messages');
  });
}
