// The real Stage for tests: the WebAssembly that `cargo xtask stage` built, and frames that pass when a test says so.

import { readFileSync } from 'node:fs';
import { useStage } from '../src/stage/door';
import type { Frames } from '../src/stage/model';

export function realStage(): void {
  useStage(readFileSync(new URL('../generated/stage_bg.wasm', import.meta.url)));
}

/** Frames 20 ms apart, each when it is wanted. */
export class ManualFrames implements Frames {
  #now = 1;
  #waiting: ((now: number) => void) | undefined;

  request(callback: (now: number) => void): number {
    this.#waiting = callback;
    return 1;
  }

  cancel(): void {
    this.#waiting = undefined;
  }

  /** Lets frames pass until nobody wants one any more, or so many have passed; returns how many. */
  pass(atMost = 10_000): number {
    let passed = 0;
    while (this.#waiting && passed < atMost) {
      const callback = this.#waiting;
      this.#waiting = undefined;
      this.#now += 20;
      callback(this.#now);
      passed += 1;
    }
    return passed;
  }
}
