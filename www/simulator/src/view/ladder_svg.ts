// The Ladder as a picture of its own: SVG text with its styles inside, light or dark as the reader's system, that any
// browser and any drawing program opens.

import { type ComponentChild, h } from 'preact';
import type { Language } from '../i18n/text';
import type { Entry, Micros } from '../stage/types';
import { arrowOf, barsOf, bracketOf, type Now, type Sign, signOf } from './ladder/geometry';
import { AXIS, type Columns, columnsOf, layoutOf } from './ladder/layout';
import {
  ArrowLabel,
  ArrowLine,
  Axis,
  BarShape,
  BracketShape,
  Lifelines,
  RestartShape,
  SignShape,
  ToldShape,
} from './ladder/shapes';
import { svgText } from './ladder/text';
import { IconPath } from './marks';
import type { Person, Words } from './props';
import { storyOf } from './story';
import { nameOf } from './words';

const HEAD = 44;
const WIDTH_MIN = 720;
const COLUMN_WIDTH = 300;

/** Colours as in style/tokens.css: light, then dark. */
const COLOURS = {
  surface: ['#ffffff', '#1a2127'],
  line: ['#dbd8d0', '#303a42'],
  'line-strong': ['#85909a', '#6c7983'],
  ink: ['#1d2730', '#e7ebee'],
  'ink-soft': ['#54616c', '#a7b2bb'],
  accent: ['#176b73', '#6cc3c6'],
  good: ['#1f6b3f', '#77cf9b'],
  bad: ['#ad2a20', '#ff9488'],
  warn: ['#855000', '#eab661'],
  'warn-soft': ['#faebcf', '#3a2d15'],
  'qos-0': ['#52606d', '#a9b6c1'],
  'qos-1': ['#8f5200', '#efb45b'],
  'qos-2': ['#5a3da0', '#bda8f7'],
  ack: ['#66727d', '#8d9aa5'],
  retained: ['#0a6a4c', '#6dd2a5'],
  will: ['#a02a4d', '#f290ab'],
  session: ['#bcd9d8', '#2a5357'],
  'session-away': ['#e3eeed', '#1d3438'],
} as const;

const colours = (which: 0 | 1): string =>
  Object.entries(COLOURS)
    .map(([name, pair]) => `--${name}:${pair[which]}`)
    .join(';');

const STYLE = `svg{${colours(0)};--weight-strong:600;background:var(--surface);font-family:system-ui,sans-serif}
@media (prefers-color-scheme:dark){svg{${colours(1)}}}
.qos-0{--kind:var(--qos-0)}.qos-1{--kind:var(--qos-1)}.qos-2{--kind:var(--qos-2)}.ack{--kind:var(--ack)}
.is-will{--kind:var(--will)}
.icon-line,.sign-line{fill:none;stroke:currentColor;stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round}
.sign{color:var(--ink-soft)}.sign path:not(.sign-line),.sign circle{fill:currentColor}
.sign.retained{color:var(--retained)}.sign.will{color:var(--will)}.sign.again{color:var(--warn)}
.sign-line.lost{stroke:var(--bad);stroke-width:2.25}.held{stroke:var(--bad)}
.shape>:first-child{fill:var(--surface);stroke:var(--kind);stroke-width:1.75}
.shape-ack{fill:var(--ack);stroke:var(--surface);stroke-width:1}
.shape-number{fill:var(--kind);font-weight:700}
.lifeline{fill:none;stroke:var(--line-strong);stroke-dasharray:1 5}.lifeline.up{stroke-width:1.5;stroke-dasharray:none}
.lifeline.broker{stroke:var(--ink-soft);stroke-width:2;stroke-dasharray:none}
.session-bar{fill:var(--session)}.session-bar.away{fill:var(--session-away);stroke:var(--line-strong);stroke-dasharray:3 3}
.frozen-bar{fill:none;stroke:var(--accent);stroke-width:2;stroke-dasharray:2 3}
.half-open-bar{fill:none;stroke:var(--bad);stroke-width:1.5;stroke-dasharray:6 4}
.bracket{fill:none;stroke:var(--kind);stroke-width:1.5}.bracket.open{stroke-dasharray:3 3}
.restart-line{fill:none;stroke:var(--warn);stroke-width:1.5;stroke-dasharray:8 4}
.restart-ground{fill:var(--warn-soft);stroke:var(--warn)}
.arrow-hit{display:none}.arrow-line{fill:var(--kind);stroke:var(--kind);stroke-width:2}.ack .arrow-line{stroke-width:1.25}.arrow-line.bent{fill:none}
.arrow-head,.arrow-tip{fill:var(--kind)}.arrow-ghost{opacity:.35}
.label{fill:var(--ink);font-size:12px;paint-order:stroke;stroke:var(--surface);stroke-width:4px;stroke-linejoin:round}
.label-title{font-weight:600}.ack .label{fill:var(--ink-soft)}
.label-detail{fill:var(--ink-soft)}.sign-ground{fill:var(--surface)}.mark .sign-line{stroke:var(--ink-soft)}
.mark .mark-label{fill:var(--ink-soft)}.mark path.mark-cut,.mark path.mark-half_open,.mark path.mark-refused{stroke:var(--bad)}
.told{fill:var(--good)}.axis-time,.axis-idle{fill:var(--ink-soft);font-size:11px}.axis-idle{font-style:italic}
.axis-tick,.axis-skip{fill:none;stroke:var(--line-strong)}
.head{fill:var(--surface);stroke:var(--line-strong)}.head.broker{fill:var(--ink)}.head-name{fill:var(--ink);font-size:13px}
.head-name.broker{fill:var(--surface);font-weight:600}.head-icon{color:var(--ink)}.head-icon.broker{color:var(--surface)}
.head-line{stroke:var(--line)}`;

/** The Ladder of everything that happened up to an entry, as SVG text. */
export function ladderSvg(
  entries: readonly Entry[],
  people: readonly Person[],
  t: Words,
  language: Language,
  upTo: { readonly entries: number; readonly at: Micros } = { entries: entries.length, at: entries.at(-1)?.at ?? 0 },
): string {
  const story = storyOf(entries);
  const layout = layoutOf(entries);
  const known = people.map(({ id }) => id);
  const clients = [...known, ...[...story.seen].filter((who) => !known.includes(who))];
  const columns = columnsOf(clients, Math.max(WIDTH_MIN, AXIS + (clients.length + 1) * COLUMN_WIDTH));
  const now: Now = upTo;
  const last = upTo.entries - 1;
  const height = upTo.entries === 0 ? 60 : layout.yAt(upTo.at) + 30;
  const flights = story.flights.filter(({ n }) => n < upTo.entries);
  const arrows = flights.flatMap((flight) => {
    const [column, entry] = [columns.byWho.get(flight.sent.who), entries[flight.n]];
    return column && entry ? [arrowOf(flight, entry, layout, column, columns.label, now, entries, people, t)] : [];
  });
  const each = (kind: 'session' | 'other') =>
    columns.clients.flatMap((column) =>
      barsOf(story.spans.get(column.who) ?? [], layout, column, now, 0, height)
        .filter((bar) => (bar.kind === 'session') === (kind === 'session'))
        .sort((a, b) => Number(a.solid) - Number(b.solid))
        .map((bar) => h(BarShape, { bar })),
    );
  const brackets = story.exchanges.flatMap((exchange) => {
    const column = columns.byWho.get(exchange.who);
    const bracket = column && bracketOf(exchange, layout, column, now, t);
    return bracket ? [h(BracketShape, { bracket })] : [];
  });
  const restarts = story.restarts.flatMap((n) => {
    const entry = entries[n];
    if (n > last || !entry || !('restarted' in entry)) return [];
    return [h(RestartShape, { y: layout.y(n), columns, label: t.view.ladder.restart(entry.restarted.storage) })];
  });
  const told: Sign[] = [];
  const marks = story.marks.flatMap((mark) => {
    const [column, entry] = [columns.byWho.get(mark.who), entries[mark.n]];
    if (mark.n > last || !column || !entry) return [];
    const sign = signOf(mark, entry, layout, column, now, entries, people, t);
    if (sign.kind === 'told') {
      told.push(sign);
      return [];
    }
    return [h('g', { class: 'mark' }, h('title', null, sign.spoken), h(SignShape, { sign }))];
  });
  const name = ({ kind, state, will }: (typeof arrows)[number]) => `arrow ${kind} ${state}${will ? ' is-will' : ''}`;
  const body: ComponentChild = h('g', { transform: `translate(0 ${HEAD})` }, [
    ...each('session'),
    h(Lifelines, { columns, from: 0, to: height }),
    ...each('other'),
    ...brackets,
    ...restarts,
    ...arrows.map((arrow) => h('g', { class: name(arrow) }, h('title', null, arrow.spoken), h(ArrowLine, { arrow }))),
    ...arrows.map((arrow) => h('g', { class: name(arrow) }, h(ArrowLabel, { arrow }))),
    ...marks,
    h(ToldShape, { signs: told }),
    h(Axis, { ticks: layout.ticks.filter(({ y }) => y <= height), t, language }),
  ]);
  const size = { width: columns.width, height: height + HEAD };
  return svgText(
    h(
      'svg',
      {
        xmlns: 'http://www.w3.org/2000/svg',
        ...size,
        viewBox: `0 0 ${size.width} ${size.height}`,
        role: 'img',
        lang: language,
        'aria-label': t.ladder.label,
      },
      h('title', null, t.ladder.label),
      h('style', null, STYLE),
      body,
      ...heads(columns, people, t),
    ),
  );
}

/** The names over the columns. */
function heads(columns: Columns, people: readonly Person[], t: Words): ComponentChild[] {
  const head = (x: number, who: string | null) => {
    const name = who === null ? t.broker : nameOf(who, people);
    const icon = who === null ? 'broker' : (people.find(({ id }) => id === who)?.icon ?? 'sensor');
    const kind = who === null ? ' broker' : '';
    const half = Math.min(columns.each / 2 - 6, 76);
    return h('g', { transform: `translate(${x} 0)` }, [
      h('rect', { class: `head${kind}`, x: -half, y: 6, width: half * 2, height: 30, rx: 8 }),
      h('g', { class: `head-icon${kind}`, transform: `translate(${8 - half} 12) scale(0.75)` }, h(IconPath, { icon })),
      h('text', { class: `head-name${kind}`, x: 12, y: 26, 'text-anchor': 'middle' }, name),
    ]);
  };
  return [
    h('path', { class: 'head-line', d: `M0 ${HEAD}H${columns.width}` }),
    ...(columns.many ? [] : columns.brokers.map((x) => head(x, null))),
    ...columns.clients.map(({ x, who }) => head(x, who)),
  ];
}
