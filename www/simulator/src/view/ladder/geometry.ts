// From the story of a log and the places of its layout to lines: one arrow for every packet, one bracket for every
// exchange, bars for what lasts. Plain numbers and words, so that the page and the exported picture draw the same.

import type { Entry, Micros } from '../../stage/types';
import { type Kind, kindOf } from '../marks';
import type { Person, Words } from '../props';
import { type Exchange, type Flight, type Mark, NOT_YET, type Span, type SpanKind } from '../story';
import { sentence } from '../words';
import { along, type Column, fit, fitTopic, LABEL, type Layout, textWidth } from './layout';

/** How much has happened: entries before `entries`, at time `at`. */
export interface Now {
  readonly entries: number;
  readonly at: Micros;
}

export const EVERYTHING: Now = { entries: NOT_YET, at: NOT_YET };

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Arrow {
  readonly n: number;
  readonly kind: Kind;
  /** From lifeline to lifeline, or to where the packet was lost. A held one waits in the middle. */
  readonly points: readonly Point[];
  /** What has happened of it: 0 to 1. */
  readonly part: number;
  readonly state: 'past' | 'flying' | 'future';
  readonly fate: Flight['fate'];
  readonly toward: 'left' | 'right';
  /** Where its shape and its label lie, beside the client's lifeline. */
  readonly shape: Point;
  readonly label: Point & { readonly anchor: 'start' | 'end' };
  readonly title: string;
  readonly detail: string;
  readonly retained: boolean;
  readonly will: boolean;
  readonly again: boolean;
  /** For those who hear it. */
  readonly spoken: string;
}

/** Pixels from the client's lifeline to the shape on the line, and to the label. */
const SHAPE_AT = 20;
const LABEL_AT = 12;

/** The text, if it fits. */
const whole = (text: string, width: number): string => (textWidth(text) <= width ? text : '');

/** Where there is no room for more, a PUBLISH is known by its shape and says its payload. */
const NARROW = 100;

/** What a packet says, short: name, and what tells it from others of its name. */
function detailOf(flight: Flight, width: number, t: Words): string {
  const { sent } = flight;
  const id = sent.id === undefined ? '' : `#${sent.id}`;
  switch (sent.type) {
    case 'PUBLISH': {
      const payload = sent.payload === '' ? '∅' : fit(sent.payload ?? '', width * 0.45);
      return `${payload} ${fitTopic(sent.topic ?? '', width - textWidth(`${payload} `))}`;
    }
    case 'SUBSCRIBE':
    case 'UNSUBSCRIBE':
      return fitTopic((sent.filters ?? []).join(' '), width);
    case 'SUBACK':
      return (sent.codes ?? []).map((code) => (code <= 2 ? `QoS ${code}` : t.packet.reason(code))).join(' ');
    case 'CONNACK':
      if (sent.reason) return fit(t.packet.reason(sent.reason), width);
      return sent.session_present ? whole('Session Present 1', width) : '';
    case 'CONNECT':
      return sent.clean_start ? '' : whole('Clean Start 0', width);
    case 'DISCONNECT':
    case 'AUTH':
      return sent.reason ? fit(t.packet.reason(sent.reason, sent.type), width) : '';
    case 'PUBACK':
    case 'PUBREC':
    case 'PUBREL':
    case 'PUBCOMP':
    case 'UNSUBACK':
      return sent.reason ? fit(`${id} ${t.packet.reason(sent.reason)}`, width) : id;
    default:
      return '';
  }
}

export function arrowOf(
  flight: Flight,
  entry: Entry,
  layout: Layout,
  column: Column,
  labelWidth: number,
  now: Now,
  entries: readonly Entry[],
  people: readonly Person[],
  t: Words,
): Arrow {
  const { sent } = flight;
  const out = sent.toward === 'broker';
  const [from, to] = out ? [column.x, column.broker] : [column.broker, column.x];
  const start = { x: from, y: layout.y(flight.n) };
  const points = wayOf(flight, start, to, layout, now);
  const end = points.at(-1) ?? start;
  const inward = column.side === 'left' ? 1 : -1;
  const future = flight.n >= now.entries;
  const flying = !future && (flight.end === NOT_YET || flight.end >= now.entries);
  // The end at the client is where the words are: under the line for what comes, over it for what goes.
  const lostEarly = !out && flight.fate === 'lost' && flight.howFar <= 0.6;
  const at = out ? start : lostEarly ? start : end;
  const labelX = lostEarly ? column.broker - inward * LABEL_AT : column.x + inward * LABEL_AT;
  const flips = lostEarly ? -inward : inward;
  const narrow = labelWidth < NARROW && sent.type === 'PUBLISH';
  const title = narrow ? fit(sent.payload || '∅', labelWidth) : (sent.type ?? t.view.noPacket);
  const room = labelWidth - textWidth(title, 13) - 12 - (sent.retain || flight.will || flight.again ? 16 : 0);
  return {
    n: flight.n,
    kind: kindOf(sent),
    points,
    part: future ? 0 : flying ? partOf(flight, now) : 1,
    state: future ? 'future' : flying ? 'flying' : 'past',
    fate: flight.fate,
    toward: to > from ? 'right' : 'left',
    shape: onLine(points, lostEarly ? column.broker - inward * SHAPE_AT : column.x + inward * SHAPE_AT, lostEarly),
    label: { x: labelX, y: out || lostEarly ? at.y - 6 : at.y + 14, anchor: flips > 0 ? 'start' : 'end' },
    title,
    detail: room > 16 && !narrow ? detailOf(flight, room, t) : '',
    retained: sent.retain === true,
    will: flight.will,
    again: flight.again,
    spoken: sentence(entry, entries, people, t),
  };
}

/** The line of a packet. */
function wayOf(flight: Flight, start: Point, to: number, layout: Layout, now: Now): Point[] {
  const { sent } = flight;
  const middle = along(start.x, to, 0.5);
  if (flight.end === NOT_YET) {
    if (sent.arrives_at !== null) return [start, { x: to, y: Math.max(layout.yAt(sent.arrives_at), start.y) }];
    const low = Math.max(Number.isFinite(now.at) ? layout.yAt(now.at) : layout.height, start.y + LABEL);
    return [start, { x: middle, y: start.y + LABEL }, { x: middle, y: low }];
  }
  const y = layout.y(flight.end);
  if (sent.arrives_at === null && y - start.y > 3 * LABEL) {
    const held = [start, { x: middle, y: start.y + LABEL }, { x: middle, y: y - LABEL }];
    return flight.fate === 'lost' ? held : [...held, { x: to, y }];
  }
  return [start, { x: along(start.x, to, flight.fate === 'lost' ? flight.howFar : 1), y }];
}

function partOf(flight: Flight, now: Now): number {
  const end = flight.end === NOT_YET ? flight.sent.arrives_at : flight.endAt;
  if (end === null || flight.sent.arrives_at === null) return 1;
  return end <= flight.at ? 1 : Math.min(1, Math.max(0, (now.at - flight.at) / (end - flight.at)));
}

/** The point of a line that has this x, or one near its end. */
function onLine(points: readonly Point[], x: number, nearStart: boolean): Point {
  for (let index = 1; index < points.length; index++) {
    const [a, b] = [points[index - 1], points[index]];
    if (!a || !b || a.x === b.x) continue;
    const part = (x - a.x) / (b.x - a.x);
    if (part >= 0 && part <= 1) return { x, y: along(a.y, b.y, part) };
  }
  const [a, b] = [points[0] ?? { x, y: 0 }, points.at(-1) ?? { x, y: 0 }];
  const part = nearStart ? 0.4 : 0.5;
  return { x: along(a.x, b.x, part), y: along(a.y, b.y, part) };
}

/** The point that a part of a line's length reaches, and the line up to there. */
export function cutAt(points: readonly Point[], part: number): readonly Point[] {
  if (part >= 1) return points;
  const lengths = points.slice(1).map((b, index) => {
    const a = points[index] ?? b;
    return Math.hypot(b.x - a.x, b.y - a.y);
  });
  let left = lengths.reduce((sum, length) => sum + length, 0) * part;
  const found: Point[] = points[0] ? [points[0]] : [];
  for (const [index, length] of lengths.entries()) {
    const [a, b] = [points[index], points[index + 1]];
    if (!a || !b) break;
    if (left < length) {
      found.push({ x: along(a.x, b.x, left / length), y: along(a.y, b.y, left / length) });
      break;
    }
    found.push(b);
    left -= length;
  }
  return found;
}

export interface Bracket {
  readonly key: string;
  readonly x: number;
  readonly from: number;
  readonly to: number;
  /** To which side its ends point. */
  readonly ends: 1 | -1;
  readonly qos: 1 | 2;
  readonly done: boolean;
  readonly spoken: string;
}

const LANE = 7;
const LANES_MAX = 4;

export function bracketOf(exchange: Exchange, layout: Layout, column: Column, now: Now, t: Words): Bracket | null {
  if (exchange.from >= now.entries || exchange.lane >= LANES_MAX) return null;
  const outward = column.side === 'left' ? -1 : 1;
  const lane = 14 + exchange.lane * LANE;
  const atClient = exchange.sender === 'client';
  const open = exchange.to === NOT_YET || exchange.to >= now.entries;
  return {
    key: `${exchange.sender} ${exchange.from}`,
    x: atClient ? column.x + outward * lane : column.broker + outward * (lane - 4),
    from: layout.y(exchange.from),
    to: open ? layout.yAt(Math.min(now.at, Number.MAX_SAFE_INTEGER)) : layout.y(exchange.to),
    ends: (atClient ? -outward : -outward) as 1 | -1,
    qos: exchange.qos,
    done: exchange.done && !open,
    spoken: t.view.ladder.exchange(exchange.qos, exchange.id, exchange.done && !open),
  };
}

export interface Bar {
  readonly key: string;
  readonly kind: SpanKind;
  readonly x: number;
  readonly from: number;
  readonly to: number;
  /** Of a Session: while the client was connected. */
  readonly solid: boolean;
}

/** The bars of what lasts for one client, between two heights. */
export function barsOf(
  spans: readonly Span[],
  layout: Layout,
  column: Column,
  now: Now,
  from: number,
  to: number,
): Bar[] {
  const bars: Bar[] = [];
  const end = (n: number) =>
    n === NOT_YET || n >= now.entries ? layout.yAt(Math.min(now.at, Number.MAX_SAFE_INTEGER)) : layout.y(n);
  const add = (span: Span, first: number, last: number, solid: boolean) => {
    const [top, bottom] = [layout.y(first), end(last)];
    if (first >= now.entries || top > to || bottom < from) return;
    bars.push({ key: `${span.kind} ${first} ${solid}`, kind: span.kind, x: column.x, from: top, to: bottom, solid });
  };
  for (const span of spans) {
    add(span, span.from, span.to, false);
    for (const part of span.connected) add(span, part.from, part.to, true);
  }
  return bars;
}

export interface Sign {
  readonly n: number;
  readonly kind: Mark['kind'];
  readonly x: number;
  readonly y: number;
  readonly inward: 1 | -1;
  readonly label: string;
  readonly spoken: string;
  readonly state: 'past' | 'future';
}

/** A mark on a lifeline with its words. */
export function signOf(
  mark: Mark,
  entry: Entry,
  layout: Layout,
  column: Column,
  now: Now,
  entries: readonly Entry[],
  people: readonly Person[],
  t: Words,
): Sign {
  const inward = column.side === 'left' ? 1 : -1;
  return {
    n: mark.n,
    kind: mark.kind,
    // That a client learns of a cut stands beside the cut itself.
    x: mark.atBroker && mark.kind !== 'timer' ? column.broker : column.x - (mark.kind === 'learned' ? inward * 15 : 0),
    y: layout.y(mark.n),
    inward,
    label: labelOf(mark, entry, t),
    spoken: sentence(entry, entries, people, t),
    state: mark.n < now.entries ? 'past' : 'future',
  };
}

function labelOf(mark: Mark, entry: Entry, t: Words): string {
  switch (mark.kind) {
    case 'cut':
      return t.ladder.cut;
    case 'closed':
      return mark.atBroker ? '' : t.view.ladder.closed;
    case 'half_open':
      return t.ladder.halfOpen;
    case 'heal':
      return t.view.ladder.healed;
    case 'freeze':
      return t.view.ladder.frozen;
    case 'thaw':
      return t.view.ladder.thawed;
    case 'session_ends':
      return t.ladder.sessionEnds;
    case 'refused':
      return t.view.ladder.refused;
    case 'timer':
      return 'timer' in entry ? t.view.ladder.timers[entry.timer.what] : '';
    case 'learned':
    case 'told':
      return '';
  }
}
