// The signs that mean the same everywhere: QoS by shape, number and dash; retained, Will, lost; and the clients' icons.
// Shapes are drawn around (0, 0) in SVG, so that the Map, the Ladder and the exported picture share them.

import type { Icon, Qos, Sent } from '../stage/types';

/** The dash of a line that stands for a message: dots, dashes, solid. */
export const DASHES: { readonly [qos in Qos]: string | undefined } = { 0: '1.5 4', 1: '7 4', 2: undefined };

export type Kind = 'qos-0' | 'qos-1' | 'qos-2' | 'ack';

/** Which of the four a packet is drawn as. */
export function kindOf(sent: Pick<Sent, 'type' | 'qos'>): Kind {
  return sent.type === 'PUBLISH' ? `qos-${sent.qos ?? 0}` : 'ack';
}

/** Circle, triangle or square with its number; a small diamond for every other packet. */
export function Shape({ kind, size = 9, at = ORIGIN }: { kind: Kind; size?: number; at?: Readonly<Point> }) {
  const r = size;
  // Its own coordinates, and no transform: hundreds of those are dear to a browser.
  const x = (dx: number) => round(at.x + dx * r);
  const y = (dy: number) => round(at.y + dy * r);
  switch (kind) {
    case 'qos-0':
      return (
        <g class="shape qos-0">
          <circle cx={x(0)} cy={y(0)} r={r * 0.92} />
          <ShapeNumber text="0" size={size} x={x(0)} y={y(0.42)} />
        </g>
      );
    case 'qos-1':
      return (
        <g class="shape qos-1">
          <path d={`M${x(0)} ${y(-1.2)}L${x(1.2)} ${y(0.88)}H${x(-1.2)}Z`} />
          <ShapeNumber text="1" size={size} x={x(0)} y={y(0.62)} />
        </g>
      );
    case 'qos-2':
      return (
        <g class="shape qos-2">
          <rect x={x(-0.88)} y={y(-0.88)} width={r * 1.76} height={r * 1.76} rx={r * 0.15} />
          <ShapeNumber text="2" size={size} x={x(0)} y={y(0.42)} />
        </g>
      );
    case 'ack':
      return (
        <path class="shape-ack" d={`M${x(0)} ${y(-0.6)}L${x(0.6)} ${y(0)}L${x(0)} ${y(0.6)}L${x(-0.6)} ${y(0)}Z`} />
      );
  }
}

interface Point {
  x: number;
  y: number;
}

const ORIGIN: Point = { x: 0, y: 0 };
const round = (value: number): number => Math.round(value * 100) / 100;

function ShapeNumber({ text, size, x, y }: { text: string; size: number; x: number; y: number }) {
  return (
    <text class="shape-number" text-anchor="middle" x={x} y={y} font-size={size * 1.2}>
      {text}
    </text>
  );
}

/** A pin: this message is retained, or to be retained. */
export function RetainedSign({ x = 0, y = 0 }: { x?: number; y?: number }) {
  return (
    <g class="sign retained" transform={`translate(${x} ${y})`}>
      <path d="M-3 -5H3L2 -1L4 1.5H-4L-2 -1Z" />
      <path class="sign-line" d="M0 1.5V6" />
    </g>
  );
}

/** A sealed letter: this message is a Will. */
export function WillSign({ x = 0, y = 0 }: { x?: number; y?: number }) {
  return (
    <g class="sign will" transform={`translate(${x} ${y})`}>
      <path class="sign-line" d="M-6 -4H6V4.5H-6Z" />
      <path class="sign-line" d="M-6 -4L0 1L6 -4" />
      <circle cx="0" cy="1.4" r="1.8" />
    </g>
  );
}

/** Two arrows after one another: sent again. */
export function AgainSign({ x = 0, y = 0 }: { x?: number; y?: number }) {
  return (
    <g class="sign again" transform={`translate(${x} ${y})`}>
      <path class="sign-line" d="M3.6 -2.6A4.5 4.5 0 1 0 4.5 0.4" />
      <path d="M4.9 -5.2V-1.4H1.1Z" />
    </g>
  );
}

/** A cross: lost here. */
export function LostSign({ x = 0, y = 0, size = 5 }: { x?: number; y?: number; size?: number }) {
  return (
    <path
      class="sign-line lost"
      transform={`translate(${x} ${y})`}
      d={`M${-size} ${-size}L${size} ${size}M${size} ${-size}L${-size} ${size}`}
    />
  );
}

const ICONS: { readonly [icon in Icon | 'broker']: string } = {
  // A thermometer.
  sensor: 'M10 13.5V5a2 2 0 1 1 4 0v8.5a4 4 0 1 1-4 0ZM12 9v7.5',
  phone: 'M8 3h8a1.5 1.5 0 0 1 1.5 1.5v15A1.5 1.5 0 0 1 16 21H8a1.5 1.5 0 0 1-1.5-1.5v-15A1.5 1.5 0 0 1 8 3ZM11 18h2',
  server: 'M4.5 4.5h15v6h-15ZM4.5 13.5h15v6h-15ZM8 7.5h.01M8 16.5h.01M12 7.5h4M12 16.5h4',
  dashboard: 'M4 4.5h16v12H4ZM9 20h6M12 16.5V20M7.5 13v-2.5M12 13V7.5M16.5 13V9.5',
  // A hub with what comes and goes.
  broker: 'M12 8.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7ZM12 8.5V3.5M12 20.5v-5M8.5 12h-5M20.5 12h-5',
};

/** A client's picture, 24 units square. */
export function IconPath({ icon }: { icon: Icon | 'broker' }) {
  return <path class="icon-line" d={ICONS[icon]} />;
}

/** The same inside of text. */
export function IconSvg({ icon, size = 20 }: { icon: Icon | 'broker'; size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true">
      <IconPath icon={icon} />
    </svg>
  );
}

/** A QoS inside of text: shape and number, with its name for those who hear it. */
export function QosBadge({ qos, label }: { qos: Qos; label: string }) {
  return (
    <svg class="qos-badge" viewBox="-12 -12 24 24" width="20" height="20" role="img" aria-label={label}>
      <title>{label}</title>
      <Shape kind={`qos-${qos}`} size={8.5} />
    </svg>
  );
}

/** A sign inside of text. */
export function SignBadge({ sign, label }: { sign: 'retained' | 'will' | 'again' | 'lost'; label: string }) {
  return (
    <svg class="sign-badge" viewBox="-9 -9 18 18" width="18" height="18" role="img" aria-label={label}>
      <title>{label}</title>
      {sign === 'retained' && <RetainedSign />}
      {sign === 'will' && <WillSign />}
      {sign === 'again' && <AgainSign />}
      {sign === 'lost' && <LostSign />}
    </svg>
  );
}
