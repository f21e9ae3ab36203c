/**
 * Loads the core's WebAssembly, once for each source, from wherever the user has it. Each entry of the package says
 * where its own copy lies (`setDefaultSource`); what goes wrong names the URL and what the server answered.
 */
import { initSync } from '../generated/wasmqtt.js';

/** Where the core's WebAssembly comes from: an address, an answer, a compiled module, or its bytes. */
export type WasmSource =
  | string
  | URL
  | Response
  | Promise<Response>
  | WebAssembly.Module
  | ArrayBuffer
  | ArrayBufferView<ArrayBuffer>;

/** What a source may be, for messages. */
export const SOURCES = 'a URL, a Response, a WebAssembly.Module, an ArrayBuffer or a view of one';

/** Whether a value is a source, or a promise of something. */
export function isSource(found: unknown): found is WasmSource {
  if (typeof found === 'string') return true;
  if (typeof found !== 'object' || found === null) return false;
  const isOne = [URL, ArrayBuffer, WebAssembly.Module].some((one) => found instanceof one) || ArrayBuffer.isView(found);
  const { arrayBuffer, then } = found as { arrayBuffer?: unknown; then?: unknown };
  return isOne || typeof arrayBuffer === 'function' || typeof then === 'function';
}

type DefaultSource = () => WasmSource | Promise<WasmSource>;

let defaultSource: DefaultSource | undefined;
let loading: Promise<void> | undefined;

/** Says where this entry's own copy of the core lies. */
export function setDefaultSource(source: DefaultSource): void {
  defaultSource = source;
}

/**
 * Makes the core usable; all brokers of a realm share one copy, and the first source wins.
 * @throws TypeError if `source` is none; Error if the file can't be fetched or is not the core.
 */
export function loadCore(source?: WasmSource): Promise<void> {
  loading ??= load(source).catch((error) => {
    // Another try may have a better source, or the network back.
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(given: WasmSource | undefined): Promise<void> {
  const source = given === undefined ? await defaultSource?.() : given;
  if (source === undefined) throw new TypeError('wasm: this entry has no WebAssembly of its own; give it a source');
  const { module, what } = await compile(source);
  try {
    initSync({ module });
  } catch (cause) {
    // Its imports are others than those of the glue.
    throw new Error(`wasmqtt: ${what} are WebAssembly, but not the core of this version: ${String(cause)}`, { cause });
  }
}

/** A module, and what to call the place that it came from. */
interface Compiled {
  module: WebAssembly.Module;
  what: string;
}

async function compile(source: WasmSource): Promise<Compiled> {
  if (source instanceof WebAssembly.Module) return { module: source, what: 'the contents of this module' };
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return compileBytes(source, 'these bytes');
  if (typeof source === 'string' || source instanceof URL) return compileResponse(await get(String(source)));
  const response = await source;
  if (typeof response?.arrayBuffer !== 'function') {
    throw new TypeError(`wasm: found ${String(response)}; allowed: ${SOURCES}`);
  }
  return compileResponse(response);
}

async function get(url: string): Promise<Response> {
  try {
    return await fetch(url);
  } catch (cause) {
    const why =
      'no network or server, an address that is none, or another origin whose server does not allow it (CORS)';
    throw new Error(`wasmqtt: ${url} can't be fetched (${why}): ${String(cause)}`, { cause });
  }
}

async function compileResponse(response: Response): Promise<Compiled> {
  const url = response.url || 'the response given';
  const type = response.headers.get('content-type') ?? 'no type';
  if (!response.ok) throw new Error(`wasmqtt: ${url} answered ${response.status} ${response.statusText} (${type})`);
  if (type.split(';')[0]?.trim() === 'application/wasm') {
    try {
      return { module: await WebAssembly.compileStreaming(response.clone()), what: `the bytes of ${url}` };
    } catch {
      // The bytes say more about what is wrong than the stream.
    }
  }
  return compileBytes(await response.arrayBuffer(), `${url}, which came as ${type},`);
}

async function compileBytes(bytes: BufferSource, what: string): Promise<Compiled> {
  try {
    return { module: await WebAssembly.compile(bytes), what };
  } catch (cause) {
    if (WebAssembly.validate(bytes)) {
      // The bytes are not at fault.
      const advice = "does the Content-Security-Policy have script-src 'wasm-unsafe-eval'?";
      throw new Error(`wasmqtt: ${what} must not be compiled here; ${advice} ${String(cause)}`, { cause });
    }
    const hint = looksLikeText(bytes) ? '; it looks like text, as a server gives for a file that is not there' : '';
    throw new Error(`wasmqtt: ${what} is no WebAssembly${hint}: ${String(cause)}`, { cause });
  }
}

function looksLikeText(bytes: BufferSource): boolean {
  const view = ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
  return view[0] === 0x3c;
}
