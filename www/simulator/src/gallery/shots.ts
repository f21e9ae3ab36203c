// The shape of generated/gallery.json: what gallery.mjs writes.

import type { Text } from '../i18n/text';
import type {
  Branches,
  Comparison,
  Entry,
  Icon,
  PacketView,
  Playhead,
  Sessions,
  Topics,
  TriedFilter,
  Why,
} from '../stage/types';

/** What the Stage says of one scene. */
export interface Shot {
  readonly entries: readonly Entry[];
  readonly playhead: Playhead;
  readonly sessions: Sessions;
  readonly topics: Topics;
  readonly branches: Branches;
  /** Answers about single entries. */
  readonly views: Readonly<
    Record<string, { readonly n: number; readonly packet: PacketView | null; readonly why: Why | null }>
  >;
  readonly filters: Readonly<Record<string, TriedFilter>>;
  readonly people: readonly { readonly id: string; readonly name: Text; readonly icon: Icon }[];
  readonly other?: { readonly comparison: Comparison; readonly entries: readonly Entry[] };
}

export type SceneId = 'empty' | 'first' | 'qos' | 'faults' | 'home' | 'branches' | 'away';
export type Shots = { readonly [id in SceneId]: Shot };
