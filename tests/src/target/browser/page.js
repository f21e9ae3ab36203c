// The page's side of the browser target: the core as the npm package ships it, told over a WebSocket what to do. A
// request is a letter and its fields, the answer comes in one message; `tests/src/target/browser.rs` writes and reads
// them. Numbers are little-endian, bytes have their length in front.
import init, { Core } from '/wasmqtt.js';

await init({ module_or_path: '/wasmqtt_bg.wasm' });

class Reader {
  constructor(buffer) {
    this.view = new DataView(buffer);
    this.at = 0;
  }
  u8() {
    return this.view.getUint8(this.at++);
  }
  u32() {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }
  f64() {
    this.at += 8;
    return this.view.getFloat64(this.at - 8, true);
  }
  bytes() {
    const length = this.u32();
    this.at += length;
    return new Uint8Array(this.view.buffer, this.at - length, length);
  }
}

const number = (size, write) => (value) => {
  const view = new DataView(new ArrayBuffer(size));
  write.call(view, 0, value, true);
  return new Uint8Array(view.buffer);
};
const u32 = number(4, DataView.prototype.setUint32);
const f64 = number(8, DataView.prototype.setFloat64);
const bytes = (value) => [u32(value.length), value];

let core;

/** Everything that waits for a connection, whose name goes first. */
const outgoing = (slot, generation) => [
  u32(slot),
  u32(generation),
  ...bytes(core.outgoing(slot, generation, 0xffff_ffff)),
];

const INPUTS = {
  h: (from) => core.handle(from.bytes()),
  r: (from) => core.received(from.u32(), from.u32(), from.bytes()),
  s: (from) => core.sent(from.u32(), from.u32(), from.u32()),
  c: (from) => core.closed(from.u32(), from.u32()),
};

const REQUESTS = {
  /** A core that knows nothing yet: configuration, seed. */
  N(from) {
    become(new Core(from.bytes(), from.bytes()));
    return [];
  },
  /** A core as its log left it: configuration, seed, records with their places. */
  R(from) {
    const [config, seed] = [from.bytes(), from.bytes()];
    const log = Array.from({ length: from.u32() }, () => [from.f64(), from.bytes()]);
    const lsns = Float64Array.from(log, ([lsn]) => lsn);
    become(Core.restore(config, seed, lsns, log.map(([, record]) => record)));
    return [];
  },
  /** A turn: time, inputs. Answers with the deadline, the outputs, and what waits for the connections that are ready. */
  T(from) {
    core.begin(from.f64());
    for (let left = from.u32(); left > 0; left -= 1) INPUTS[String.fromCharCode(from.u8())](from);
    const ready = core.end();
    const outputs = [];
    for (let output = core.poll(); output !== undefined; output = core.poll()) outputs.push(output);
    const waiting = [];
    for (let i = 0; i < ready.length; i += 2) waiting.push(...outgoing(ready[i], ready[i + 1]));
    return [
      f64(core.deadline() ?? -1),
      u32(outputs.length),
      ...outputs.flatMap(bytes),
      u32(ready.length / 2),
      ...waiting,
    ];
  },
  /** What waits for a connection. */
  O: (from) => outgoing(from.u32(), from.u32()),
  /** Saves the core and becomes what was saved. */
  S() {
    const digest = core.digest();
    become(Core.load(core.save()));
    if (core.digest() !== digest) throw new Error('what was loaded has another digest than what was saved');
    return [];
  },
};

const become = (next) => {
  core?.free();
  core = next;
};

const socket = new WebSocket(`ws://${location.host}/core`);
socket.binaryType = 'arraybuffer';
socket.onmessage = ({ data }) => {
  const from = new Reader(data);
  try {
    const answer = REQUESTS[String.fromCharCode(from.u8())](from);
    socket.send(new Blob([Uint8Array.of(0), ...answer]));
  } catch (error) {
    socket.send(new Blob([Uint8Array.of(1), String(error?.stack ?? error)]));
  }
};
