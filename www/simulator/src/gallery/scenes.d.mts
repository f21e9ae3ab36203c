// Types for scenes.mjs, which both Node and the page read.

import type { Micros, StageCommand, StageScenario } from '../stage/types';
import type { SceneId } from './shots';

export interface Scene {
  readonly id: SceneId;
  readonly scenario: StageScenario;
  /** Until when it runs; then back to `back`, if that is given. */
  readonly until: Micros;
  readonly back?: Micros;
  readonly deeds?: readonly (readonly [Micros, ...StageCommand[]])[];
  readonly fork?: { readonly at: Micros; readonly command: StageCommand };
}

export const SCENES: readonly Scene[];
export const CROWD: StageScenario;
export const FEW: StageScenario;
