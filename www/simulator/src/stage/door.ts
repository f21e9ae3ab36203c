// The one place that fetches the Stage's WebAssembly. The page gets it once; tests in Node hand the bytes in.

import init, { initSync, Stage } from '../../generated/stage.js';
import wasmUrl from '../../generated/stage_bg.wasm?url';

export { Stage };

let ready: Promise<void> | undefined;

/** Fetches and starts the WebAssembly, once however often it is asked. A failure is not kept: the next call tries again. */
export function loadStage(): Promise<void> {
  ready ??= init({ module_or_path: new URL(wasmUrl, import.meta.url) }).then(
    () => undefined,
    (error: unknown) => {
      ready = undefined;
      throw error;
    },
  );
  return ready;
}

/** The same with bytes at hand. */
export function useStage(bytes: BufferSource): void {
  initSync({ module: bytes });
  ready = Promise.resolve();
}
