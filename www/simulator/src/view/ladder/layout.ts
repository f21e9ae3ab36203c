// Where everything on the Ladder lies. Down is time: each entry of the log has a height, later entries lie lower, and the
// way between two moments grows with the time between them until it is long enough to be said in words instead. What
// happens at one moment on one lifeline lies below one another, so that no two labels cover each other. Across lie the
// columns: clients on both sides of the broker, or, when there are many, all to its right.

import type { Entry } from '../../stage/types';

/** Pixels of a line of label. */
export const LABEL = 18;
/** Pixels between two moments, at least. */
const GAP_MIN = 8;
/** Pixels of a millisecond, as long as the gap is below `GAP_STRAIGHT`. */
const PER_MS = 0.12;
const GAP_STRAIGHT = 54;
/** A gap that would be longer than this many pixels is said in words. */
export const GAP_MAX = 92;
const TOP = 30;

/** A point of time with all that happens at it. */
export interface Tick {
  readonly at: number;
  readonly y: number;
  /** From the first to the last of its lines. */
  height: number;
  /** Its first entry. */
  readonly first: number;
  /** Time that passed before it, if the way is shortened. */
  readonly skipped: number;
}

export function gapOf(micros: number): { readonly gap: number; readonly skipped: boolean } {
  const straight = (micros / 1000) * PER_MS;
  if (straight <= GAP_STRAIGHT) return { gap: Math.max(GAP_MIN, straight), skipped: false };
  const gap = GAP_STRAIGHT + 9 * Math.log2(straight / GAP_STRAIGHT);
  return { gap: Math.min(gap, GAP_MAX), skipped: gap > GAP_MAX };
}

export class Layout {
  readonly ticks: Tick[] = [];
  /** By entry. */
  readonly #y: number[] = [];
  /** The lowest pixel that a label has taken, by lifeline. */
  readonly #taken = new Map<string, number>();
  #size = 0;

  /** Goes on, up to the end of the log. */
  extend(entries: readonly Entry[]): this {
    for (; this.#size < entries.length; this.#size++) {
      const entry = entries[this.#size];
      if (entry) this.#one(entry);
    }
    return this;
  }

  get size(): number {
    return this.#size;
  }

  get height(): number {
    const last = this.ticks.at(-1);
    return (last ? last.y + last.height : 0) + TOP + LABEL;
  }

  y(n: number): number {
    return this.#y[Math.min(n, this.#size - 1)] ?? TOP;
  }

  /** Where a time lies, between moments too. */
  yAt(at: number): number {
    const index = this.#tickBefore((tick) => tick.at <= at);
    const [tick, next] = [this.ticks[index], this.ticks[index + 1]];
    if (!tick) return this.ticks[0] ? this.ticks[0].y - 12 : TOP;
    const begin = tick.y + tick.height;
    if (at === tick.at) return begin;
    if (!next) return begin + Math.min(gapOf(at - tick.at).gap, GAP_MAX);
    return begin + ((next.y - begin) * (at - tick.at)) / (next.at - tick.at);
  }

  /** The time that lies at a height. */
  timeAt(y: number): number {
    const index = this.#tickBefore((tick) => tick.y <= y);
    const [tick, next] = [this.ticks[index], this.ticks[index + 1]];
    if (!tick) return 0;
    const begin = tick.y + tick.height;
    if (y <= begin || !next) return tick.at;
    return tick.at + ((next.at - tick.at) * (y - begin)) / (next.y - begin);
  }

  /** The ticks that lie between two heights, one more on each side. */
  ticksBetween(from: number, to: number): readonly Tick[] {
    const [first, last] = this.#between(from, to);
    return this.ticks.slice(first, last + 1);
  }

  /** The entries that lie between two heights, first and last. */
  entriesBetween(from: number, to: number): readonly [number, number] {
    const [first, last] = this.#between(from, to);
    return [this.ticks[first]?.first ?? 0, (this.ticks[last + 1]?.first ?? this.#size) - 1];
  }

  #between(from: number, to: number): readonly [number, number] {
    const first = Math.max(
      0,
      this.#tickBefore((tick) => tick.y <= from),
    );
    const last = this.#tickBefore((tick) => tick.y <= to);
    return [first, Math.min(last + 1, this.ticks.length - 1)];
  }

  #tickBefore(is: (tick: Tick) => boolean): number {
    let [low, high] = [0, this.ticks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const tick = this.ticks[middle];
      if (tick && is(tick)) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #one(entry: Entry): void {
    let tick = this.ticks.at(-1);
    if (!tick || tick.at !== entry.at) {
      const passed = tick ? entry.at - tick.at : 0;
      const { gap, skipped } = gapOf(passed);
      const y = tick ? tick.y + tick.height + gap : TOP;
      tick = { at: entry.at, y, height: 0, first: entry.n, skipped: skipped ? passed : 0 };
      this.ticks.push(tick);
    }
    const y = this.#place(entry, tick);
    tick.height = Math.max(tick.height, y - tick.y);
    this.#y.push(y);
  }

  /** Down to where its lifelines are free. */
  #place(entry: Entry, tick: Tick): number {
    if ('sent' in entry) {
      const { who, toward } = entry.sent;
      return toward === 'broker' ? this.#above(who, tick) : this.#line(`broker ${who}`, tick);
    }
    if ('delivered' in entry) {
      const { who, toward } = entry.delivered;
      return toward === 'client' ? this.#below(who, tick) : this.#line(`broker ${who}`, tick);
    }
    if ('lost' in entry) {
      const { who, toward, how_far } = entry.lost;
      return toward === 'client' && how_far > 0.6 ? this.#below(who, tick) : this.#line(`broker ${who}`, tick);
    }
    if ('broke' in entry) return this.#mark(entry.broke.who, tick);
    if ('learned' in entry && entry.learned.end === 'client') return this.#after(entry.learned.who, tick);
    if ('closed' in entry && entry.closed.end === 'client') return this.#mark(entry.closed.who, tick);
    if ('timer' in entry && entry.timer.who) return this.#mark(entry.timer.who, tick);
    if ('event' in entry && entry.event.is === 'session_ended' && entry.event.who) {
      return this.#mark(entry.event.who, tick);
    }
    if ('command' in entry && 'who' in entry.command && MARKED.has(entry.command.do)) {
      return this.#mark(entry.command.who, tick);
    }
    if ('restarted' in entry) return this.#whole(tick);
    return tick.y;
  }

  /** The label lies under the line. */
  #below(who: string, tick: Tick): number {
    const y = Math.max(tick.y, this.#taken.get(who) ?? 0);
    this.#taken.set(who, y + LABEL);
    return y;
  }

  /** A sign on the lifeline with its label beside it. */
  #mark(who: string, tick: Tick): number {
    const y = Math.max(tick.y, this.#taken.get(who) ?? 0);
    this.#taken.set(who, y + LABEL + 12);
    return y;
  }

  /** The label lies over the line. */
  #above(who: string, tick: Tick): number {
    const taken = this.#taken.get(who) ?? 0;
    const y = Math.max(tick.y, taken === 0 ? 0 : taken + LABEL);
    this.#taken.set(who, y + 3);
    return y;
  }

  /** No label, but a little way from the line before. */
  #line(lifeline: string, tick: Tick): number {
    const y = Math.max(tick.y, this.#taken.get(lifeline) ?? 0);
    this.#taken.set(lifeline, y + GAP_MIN);
    return y;
  }

  /** Beside what is there. */
  #after(who: string, tick: Tick): number {
    return Math.max(tick.y, (this.#taken.get(who) ?? 0) - LABEL);
  }

  /** A line across everything. */
  #whole(tick: Tick): number {
    let y = tick.y;
    for (const taken of this.#taken.values()) y = Math.max(y, taken);
    y += LABEL;
    for (const who of this.#taken.keys()) this.#taken.set(who, y + GAP_MIN);
    return y;
  }
}

/** Commands that leave a mark on the lifeline of their client. */
export const MARKED: ReadonlySet<string> = new Set(['half_open', 'heal', 'freeze', 'thaw']);

const layouts = new WeakMap<readonly Entry[], Layout>();

/** The layout of a log, up to its end. */
export function layoutOf(entries: readonly Entry[]): Layout {
  let layout = layouts.get(entries);
  if (!layout || layout.size > entries.length) {
    layout = new Layout();
    layouts.set(entries, layout);
  }
  return layout.extend(entries);
}

// Across

export interface Column {
  readonly who: string;
  /** The client's lifeline. */
  readonly x: number;
  /** The broker's lifeline as this client's arrows use it. */
  readonly broker: number;
  /** On which side of the broker. */
  readonly side: 'left' | 'right';
}

export interface Columns {
  readonly clients: readonly Column[];
  readonly byWho: ReadonlyMap<string, Column>;
  /** Where the broker's lifeline is drawn: once in the middle, or once beside every client when there are many. */
  readonly brokers: readonly number[];
  readonly width: number;
  /** Pixels for a label beside a client's lifeline. */
  readonly label: number;
  /** From one column to the next. */
  readonly each: number;
  readonly many: boolean;
}

/** Pixels for the times at the left. */
export const AXIS = 60;
const EACH_MIN = 80;
const EACH_MAX = 320;
/** Of one client with a broker's lifeline of its own. */
const EACH_MANY = 248;
/** More clients than this have a broker's lifeline each: arrows across a hundred columns tell nothing. */
export const AROUND_MAX = 7;

/** Columns for these clients, in a width. */
export function columnsOf(clients: readonly string[], width: number): Columns {
  const many = clients.length > AROUND_MAX;
  const made = many ? manyColumns(clients) : columnsAround(clients, width);
  return { ...made, byWho: new Map(made.clients.map((column) => [column.who, column])), many };
}

function manyColumns(clients: readonly string[]) {
  const columns = clients.map((who, index): Column => {
    const begin = AXIS + index * EACH_MANY;
    return { who, x: begin + EACH_MANY - 68, broker: begin + 20, side: 'right' };
  });
  const brokers = columns.map(({ broker }) => broker);
  return {
    clients: columns,
    brokers,
    width: AXIS + clients.length * EACH_MANY,
    label: EACH_MANY - 112,
    each: EACH_MANY,
  };
}

function columnsAround(clients: readonly string[], width: number) {
  const room = (width - AXIS) / (clients.length + 1);
  const each = Math.round(Math.min(EACH_MAX, Math.max(EACH_MIN, room)));
  const left = Math.ceil(clients.length / 2);
  const broker = AXIS + left * each + each / 2;
  const columns = clients.map((who, index): Column => {
    if (index < left) return { who, x: AXIS + (index + 0.42) * each, broker, side: 'left' };
    return { who, x: AXIS + (index + 1.58) * each, broker, side: 'right' };
  });
  return { clients: columns, brokers: [broker], width: AXIS + (clients.length + 1) * each, label: each - 34, each };
}

/** Where along its way a line is, from 0 to 1. */
export function along(from: number, to: number, part: number): number {
  return part === 1 ? to : from + (to - from) * part;
}

/** Widths of ASCII letters as parts of the type's size. */
const WIDTHS = Float32Array.from({ length: 128 }, (_, code) => {
  const letter = String.fromCharCode(code);
  return "ilj.,'|:;!/ ".includes(letter) ? 0.32 : /[A-Zmw@#%]/.test(letter) ? 0.7 : 0.56;
});

/** How wide a text is, about, in pixels: Hangul and other wide letters take a whole square. */
export function textWidth(text: string, size = 12): number {
  let units = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    units += WIDTHS[code] ?? (code > 0x2e7f ? 1 : 0.56);
  }
  return units * size;
}

/** The text, shortened so that it fits; what is left out is in its middle for a topic, else at its end. */
export function fit(text: string, width: number, size = 12): string {
  if (textWidth(text, size) <= width) return text;
  const letters = [...text];
  let length = letters.length;
  let used = textWidth(text, size) + textWidth('…', size);
  while (length > 0 && used > width) used -= textWidth(letters[--length] ?? '', size);
  return length === 0 ? '' : `${letters.slice(0, length).join('').trimEnd()}…`;
}

/** A topic, shortened at its beginning: its last levels say most. */
export function fitTopic(topic: string, width: number, size = 12): string {
  if (textWidth(topic, size) <= width) return topic;
  const levels = topic.split('/');
  for (let from = 1; from < levels.length; from++) {
    const short = `…/${levels.slice(from).join('/')}`;
    if (textWidth(short, size) <= width) return short;
  }
  return fit(levels.at(-1) ?? topic, width, size);
}
