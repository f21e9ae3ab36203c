// A link on the Map: a line between a client and the broker, and on it what is the matter with it.

import type { SVGAttributes } from 'preact';
import type { ClientView } from '../../stage/types';
import type { Person, Words } from '../props';
import type { Scale, Spot } from './place';

export type LinkState = 'none' | 'up' | 'halfOpen';

export function linkStateOf(client: ClientView): LinkState {
  if (client.half_open.length > 0) return 'halfOpen';
  return client.link === null ? 'none' : 'up';
}

/** What waits to cut a link, in words. */
export const cutsOf = (client: ClientView, t: Words): readonly string[] =>
  client.cut_when.map(({ packet, toward, at }) => t.view.map.cutWhen(packet, toward, t.view.map.moments[at]));

interface LinkProps {
  readonly person: Person;
  readonly link: readonly [Spot, Spot];
  readonly client: ClientView;
  readonly scale: Scale;
  readonly chosen: boolean;
  readonly onSelect: () => void;
  /** What makes it a member of the group that arrow keys go through. */
  readonly member: SVGAttributes<SVGGElement>;
  readonly t: Words;
}

export function Link({ person, link, client, scale, chosen, onSelect, member, t }: LinkProps) {
  const [from, to] = link;
  const state = linkStateOf(client);
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const line = `M${from.x} ${from.y}L${to.x} ${to.y}`;
  const said = [
    `${t.map.link(person.name)}: ${t.view.map.linkState[state]}`,
    t.view.map.latency(client.latency_ms),
    ...cutsOf(client, t),
  ].join(', ');
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  return (
    // biome-ignore lint/a11y/useSemanticElements: there are no buttons in SVG.
    <g
      {...member}
      class={`link ${state}${chosen ? ' chosen' : ''}`}
      role="button"
      aria-label={said}
      aria-pressed={chosen}
      onClick={onSelect}
    >
      <title>{said}</title>
      <path class="link-hit" d={line} />
      <path class="link-line" d={line} />
      {state === 'halfOpen' && <Silence at={middle} from={from} to={to} />}
      {client.cut_when.length > 0 && <Scissors at={along(from, to, 0.62)} />}
      {scale === 'card' && length > 56 && (
        <Latency at={along(from, to, length > 160 ? 0.3 : 0.5)} from={from} to={to} client={client} t={t} />
      )}
    </g>
  );
}

const along = (from: Spot, to: Spot, part: number): Spot => ({
  x: from.x + (to.x - from.x) * part,
  y: from.y + (to.y - from.y) * part,
});

/** How long the link takes, beside its line. */
function Latency({ at, from, to, client, t }: { at: Spot; from: Spot; to: Spot; client: ClientView; t: Words }) {
  const steep = Math.abs(to.y - from.y) > Math.abs(to.x - from.x);
  return (
    <text
      class="link-latency"
      x={at.x + (steep ? 10 : 0)}
      y={at.y + (steep ? 4 : -14)}
      text-anchor={steep ? 'start' : 'middle'}
    >
      {t.view.map.latency(client.latency_ms)}
    </text>
  );
}

/** A gap in the line that nobody has noticed. */
function Silence({ at, from, to }: { at: Spot; from: Spot; to: Spot }) {
  const angle = (Math.atan2(to.y - from.y, to.x - from.x) * 180) / Math.PI;
  return (
    <g transform={`translate(${at.x} ${at.y}) rotate(${angle})`}>
      <rect class="link-gap" x="-9" y="-8" width="18" height="16" />
      <path class="link-ends" d="M-9 -8V8M9 -8V8" />
    </g>
  );
}

/** Something waits to cut this link. */
function Scissors({ at }: { at: Spot }) {
  return (
    <g class="link-scissors" transform={`translate(${at.x} ${at.y})`}>
      <circle r="11" />
      <path d="M-6 -4.5L5 3M-6 4.5L5 -3M-6 -4.5m-1.8 0a1.8 1.8 0 1 0 3.6 0a1.8 1.8 0 1 0 -3.6 0M-6 4.5m-1.8 0a1.8 1.8 0 1 0 3.6 0a1.8 1.8 0 1 0 -3.6 0" />
    </g>
  );
}
