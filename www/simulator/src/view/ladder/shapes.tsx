// The Ladder's shapes as SVG, without state: the page draws them and so does the exported picture.

import { clock, span as duration } from '../clock';
import { AgainSign, DASHES, LostSign, RetainedSign, Shape, WillSign } from '../marks';
import type { Words } from '../props';
import { type Arrow, type Bar, type Bracket, cutAt, type Point, type Sign } from './geometry';
import { AXIS, type Columns, type Tick, textWidth } from './layout';

const path = (points: readonly Point[]): string =>
  points
    .map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`)
    .join('');

const dashOf = (arrow: Arrow): string | undefined =>
  arrow.kind === 'qos-0' ? DASHES[0] : arrow.kind === 'qos-1' ? DASHES[1] : undefined;

/** A packet: its line as far as it came, and its head. */
export function ArrowLine({ arrow }: { arrow: Arrow }) {
  const { points, part, state } = arrow;
  const whole = path(points);
  const dash = dashOf(arrow);
  const lost = arrow.fate === 'lost';
  const held = points.length === 3 && !lost;
  const head = lost || held ? '' : headOf(points);
  const end = points.at(-1) ?? { x: 0, y: 0 };
  // What is filled or dashed has its head apart: dashes around a triangle look torn.
  const apart = points.length > 2 || dash !== undefined;
  if (state === 'past') {
    return (
      <>
        <path class="arrow-hit" d={whole} />
        <path
          class={apart ? 'arrow-line bent' : 'arrow-line'}
          d={apart ? whole : whole + head}
          stroke-dasharray={dash}
        />
        {apart && head && <path class="arrow-head" d={head} />}
        {lost && <LostSign x={end.x} y={end.y} />}
        {held && <path class="sign-line held" d={`M${end.x - 3} ${end.y - 6}v12m6 -12v12`} />}
      </>
    );
  }
  const reached = state === 'future' ? [] : cutAt(points, part);
  const tip = reached.at(-1);
  return (
    <>
      <path class="arrow-hit" d={whole} />
      <path class="arrow-line bent arrow-ghost" d={whole} stroke-dasharray={dash} />
      {state !== 'future' && <path class="arrow-line bent" d={path(reached)} stroke-dasharray={dash} />}
      {head && <path class="arrow-head arrow-ghost" d={head} />}
      {held && <path class="sign-line held" d={`M${end.x - 3} ${end.y - 6}v12m6 -12v12`} />}
      {tip && <circle class="arrow-tip" cx={tip.x} cy={tip.y} r="4.5" />}
    </>
  );
}

/** The head of a line: a triangle at its end. */
function headOf(points: readonly Point[]): string {
  const end = points.at(-1) ?? { x: 0, y: 0 };
  const before = points.at(-2) ?? end;
  const length = Math.hypot(end.x - before.x, end.y - before.y) || 1;
  const [ux, uy] = [(end.x - before.x) / length, (end.y - before.y) / length];
  const corner = (side: 1 | -1) => ({ x: end.x - ux * 8 - side * uy * 4, y: end.y - uy * 8 + side * ux * 4 });
  return `${path([end, corner(1), corner(-1)])}Z`;
}

/** Its shape and its words, which lie over all lines. */
export function ArrowLabel({ arrow }: { arrow: Arrow }) {
  const { label } = arrow;
  return (
    <>
      <Shape kind={arrow.kind} size={7} at={arrow.shape} />
      <text class="label" x={label.x + (label.anchor === 'start' ? 18 : -18)} y={label.y} text-anchor={label.anchor}>
        {arrow.kind === 'ack' ? (
          `${arrow.title} ${arrow.detail}`.trimEnd()
        ) : (
          <>
            <tspan class="label-title">{arrow.title}</tspan>
            {arrow.detail && <tspan class="label-detail"> {arrow.detail}</tspan>}
          </>
        )}
      </text>
      <ArrowSigns arrow={arrow} />
    </>
  );
}

/** Retained, Will and sent again, behind the words. */
function ArrowSigns({ arrow }: { arrow: Arrow }) {
  const { label, retained, will, again } = arrow;
  if (!retained && !will && !again) return null;
  const words = textWidth(`${arrow.title} ${arrow.detail}`) + 26;
  const step = label.anchor === 'start' ? 1 : -1;
  const at = (place: number) => label.x + step * (words + 6 + place * 16);
  const signs = [retained && RetainedSign, will && WillSign, again && AgainSign].filter((sign) => sign !== false);
  return (
    <>
      {signs.map((Sign, index) => (
        <Sign key={index} x={at(index)} y={label.y - 4} />
      ))}
    </>
  );
}

/** From a PUBLISH to its last acknowledgement. */
export function BracketShape({ bracket }: { bracket: Bracket }) {
  const { x, from, to, ends, qos, done } = bracket;
  const close = done ? `h${ends * 5}` : '';
  return (
    <path class={`bracket qos-${qos}${done ? '' : ' open'}`} d={`M${x + ends * 5} ${from}h${-ends * 5}V${to}${close}`}>
      <title>{bracket.spoken}</title>
    </path>
  );
}

/** A Session, a link, a standstill or a silence, along the client's lifeline. */
export function BarShape({ bar }: { bar: Bar }) {
  const height = Math.max(2, bar.to - bar.from);
  switch (bar.kind) {
    case 'session':
      return (
        <rect
          class={bar.solid ? 'session-bar' : 'session-bar away'}
          x={bar.x - (bar.solid ? 6 : 5)}
          y={bar.from}
          width={bar.solid ? 12 : 10}
          height={height}
          rx="3"
        />
      );
    case 'link':
      return <path class="lifeline up" d={`M${bar.x} ${bar.from}v${height}`} />;
    case 'frozen':
      return <rect class="frozen-bar" x={bar.x - 6} y={bar.from} width="12" height={height} />;
    case 'half_open':
      return (
        <path class="half-open-bar" d={`M${bar.x - 10} ${bar.from}v${height}M${bar.x + 10} ${bar.from}v${height}`} />
      );
  }
}

const GLYPHS: { readonly [kind in Sign['kind']]: string } = {
  cut: 'M-9 3L-4 -4L0 3L4 -4L9 3',
  learned: 'M4 0A4 4 0 1 1 -4 0A4 4 0 1 1 4 0Z',
  closed: 'M-7 0H7M-7 4H7',
  half_open: 'M-8 0H-3M3 0H8M-3 -4V4M3 -4V4',
  heal: 'M-8 0H8M0 -5V5',
  freeze: 'M0 -6V6M-5.2 -3L5.2 3M-5.2 3L5.2 -3',
  thaw: 'M-3 -5L5 0L-3 5Z',
  session_ends: 'M-8 -2H8V2H-8Z',
  refused: 'M-6 0A6 6 0 1 1 6 0A6 6 0 1 1 -6 0M-4 4L4 -4',
  timer: 'M5.5 0A5.5 5.5 0 1 1 -5.5 0A5.5 5.5 0 1 1 5.5 0ZM0 -3V0.4L2.4 1.8',
  told: '',
};

/** What reached the clients' users, all in one: behind the lifeline, where it has left MQTT. */
export function ToldShape({ signs }: { signs: readonly Sign[] }) {
  const d = signs.map(({ x, y, inward }) => `M${x - inward * 9} ${y - 4}l${-inward * 5} 4l${inward * 5} 4Z`).join('');
  return d === '' ? null : <path class="told" d={d} />;
}

/** A mark on a lifeline. */
export function SignShape({ sign }: { sign: Sign }) {
  const { x, y, inward, kind } = sign;
  const at = sign.label ? y + 9 : y;
  return (
    <>
      <circle class="sign-ground" cx={x} cy={at} r="8" />
      <path class={`sign-line mark-${kind}`} d={GLYPHS[kind]} transform={`translate(${x} ${at})`} />
      {sign.label && (
        <text
          class={`label mark-label mark-${kind}`}
          x={x + inward * 14}
          y={at + 4}
          text-anchor={inward > 0 ? 'start' : 'end'}
        >
          {sign.label}
        </text>
      )}
    </>
  );
}

/** The times at the left; where the way is shortened, how much is left out. */
export function Axis({ ticks, t, language }: { ticks: readonly Tick[]; t: Words; language: 'ko' | 'en' }) {
  let free = Number.NEGATIVE_INFINITY;
  const shown = ticks.filter(({ y }) => {
    if (y - free < 15) return false;
    free = y;
    return true;
  });
  const skips = ticks.filter(({ skipped }) => skipped > 0);
  return (
    <g class="axis">
      <path class="axis-tick" d={ticks.map(({ y }) => `M${AXIS - 5} ${y}h5`).join('')} />
      {shown.map(({ y, at }) => (
        <text key={at} class="axis-time" x={AXIS - 10} y={y + 4} text-anchor="end">
          {clock(at).replace(/^(\d+:\d+:\d+)\..*/, '$1')}
        </text>
      ))}
      {skips.map(({ y, at, skipped }) => (
        <g key={at}>
          <path class="axis-skip" d={`M${AXIS - 8} ${y - 66}v20m-3 4l6 4l-6 4l6 4m-3 4v14`} />
          <text class="axis-idle" x={AXIS - 15} y={y - 36} text-anchor="end">
            {t.view.ladder.idle(duration(skipped, language))}
          </text>
        </g>
      ))}
    </g>
  );
}

/** All lifelines between two heights. */
export function Lifelines({ columns, from, to }: { columns: Columns; from: number; to: number }) {
  return (
    <g class="lifelines">
      {columns.brokers.map((x) => (
        <path key={x} class="lifeline broker" d={`M${x} ${from}V${to}`} />
      ))}
      {columns.clients.map(({ who, x }) => (
        <path key={who} class="lifeline" d={`M${x} ${from}V${to}`} />
      ))}
    </g>
  );
}

/** The broker began anew. */
export function RestartShape({ y, columns, label }: { y: number; columns: Columns; label: string }) {
  return (
    <g class="restart">
      <path class="restart-line" d={`M${AXIS} ${y}H${columns.width}`} />
      {columns.brokers.map((x) => (
        <g key={x}>
          <rect
            class="restart-ground"
            x={x - textWidth(label) / 2 - 8}
            y={y - 10}
            width={textWidth(label) + 16}
            height="20"
            rx="10"
          />
          <text class="label" x={x} y={y + 4} text-anchor="middle">
            {label}
          </text>
        </g>
      ))}
    </g>
  );
}
