// What each view is given. Views are pure: they show the data of stage/types.ts and say through callbacks what a person
// wants; they know nothing of the model that runs the Stage. This is the contract between both, and it is only extended.

import type { en } from '../i18n/en';
import type { Language } from '../i18n/text';
import type {
  Described,
  Entry,
  Icon,
  Level,
  PacketView,
  Playhead,
  Sessions,
  Topics,
  TriedFilter,
  Why,
} from '../stage/types';

/** The catalogue of one language. */
export type Words = typeof en;

/** A client as people know it, in the order of the scenario. */
export interface Person {
  readonly id: string;
  /** In the page's language. */
  readonly name: string;
  readonly icon: Icon;
}

/** What a person looks at. Everything that can be chosen says so with one of these. */
export type Selection =
  | { readonly entry: number }
  | { readonly client: string }
  | { readonly link: string }
  | { readonly topic: string }
  | { readonly broker: true }
  | null;

/** Every view has these. */
export interface ViewProps {
  readonly t: Words;
  readonly language: Language;
  readonly people: readonly Person[];
  readonly selection: Selection;
  readonly onSelect: (selection: Selection) => void;
}

/** Every view of the log has these too. */
export interface LogProps extends ViewProps {
  /**
   * The whole log of the branch, what lies behind the playhead too. The same array as long as it only grows (it may grow
   * in place); another one after a fork or a switch of branches.
   */
  readonly entries: readonly Entry[];
  /** `playhead.of` is how many entries there are, `playhead.at` is now; give a new object each time. */
  readonly playhead: Playhead;
}

/** Clients around the broker, packets on their way. */
export interface MapProps extends LogProps {
  readonly sessions: Sessions;
  readonly topics: Topics;
  /** Whether time runs: then packets follow `playhead.at` exactly; else they glide there when it jumps. */
  readonly playing: boolean;
  /** False: packets jump. Absent: as the system asks. */
  readonly motion?: boolean;
  /** The menu of a client, its link or the broker is wanted: a double click, Enter, or the context menu key. */
  readonly onMenu?: (what: NonNullable<Selection>, at: { readonly x: number; readonly y: number }) => void;
}

/** The sequence diagram: time runs down. */
export interface LadderProps extends LogProps {
  /** The playhead stays in sight while time runs. */
  readonly follow: boolean;
  /** The reader scrolled away from the playhead, or came back. */
  readonly onFollow?: (follow: boolean) => void;
  /** A point of time was chosen (double click, or Enter on the time column). */
  readonly onSeek?: (entry: number) => void;
  /** The other branch, drawn beside this one from where they part. */
  readonly compare?: {
    readonly entries: readonly Entry[];
    /** Entries that both have. */
    readonly common: number;
    readonly label: string;
    readonly otherLabel: string;
  };
  /** Only these clients' columns; absent: all. */
  readonly only?: readonly string[];
}

/** For one message every client: delivered, queued, or the first reason why not. */
export interface WhyProps extends LogProps {
  /** The answer for the selected entry; `null` if it is about no message. */
  readonly why: Why | null;
}

/** One packet: fields, bytes and bits. */
export interface PacketProps extends LogProps {
  readonly packet: PacketView | null;
  /** `Stage.describe`, parsed. */
  readonly describe: (bytes: Uint8Array, level: Level, towardBroker: boolean) => Described;
  /** Sends edited bytes as `who` (command `raw`); absent: sending is locked. */
  readonly onResend?: (who: string, hex: string) => void;
  /** Whether `who` has a connection on which it can send. */
  readonly canSend: (who: string) => boolean;
}

/** What the broker keeps for a client. */
export interface SessionProps extends LogProps {
  /** Whose; `null`: none is chosen. */
  readonly client: string | null;
  readonly sessions: Sessions;
}

/** The tree of topics. */
export interface TopicsProps extends LogProps {
  readonly topics: Topics;
  readonly sessions: Sessions;
  /** `stage.tryFilter`, parsed. */
  readonly tryFilter: (filter: string) => TriedFilter;
  /** What stands in the field at first. */
  readonly filter?: string;
  readonly onPublishHere?: (topic: string) => void;
  readonly onSubscribeHere?: (filter: string) => void;
}

/** One line for every entry. */
export interface LogViewProps extends LogProps {
  /** The last line stays in sight while time runs. */
  readonly follow: boolean;
  readonly onSeek?: (entry: number) => void;
}

// Components, each default-exported by its file in this folder: Map.tsx, Ladder.tsx, Why.tsx, Packet.tsx, Session.tsx,
// Topics.tsx, Log.tsx. Besides them:
//   words.ts       sentence(entry, entries, people, t): string        what a screen reader hears, what the Log shows
//   ladder_svg.ts  ladderSvg(entries, people, t, language): string    the Ladder as a stand-alone SVG text
//   view.css       all their styles, over style/tokens.css
