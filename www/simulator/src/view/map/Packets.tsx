// Packets on their way, over the Map. Each moves by its place alone; what it looks like was drawn once.

import type { Entry, Micros } from '../../stage/types';
import { AgainSign, kindOf, LostSign, RetainedSign, Shape, WillSign } from '../marks';
import type { Person, Selection, Words } from '../props';
import type { Flight } from '../story';
import { sentence } from '../words';
import { progressOf } from './flying';
import { onLane, type Spot } from './place';

interface PacketsProps {
  readonly flying: readonly Flight[];
  readonly at: Micros;
  readonly people: readonly Person[];
  readonly links: readonly (readonly [Spot, Spot])[];
  readonly width: number;
  readonly height: number;
  /** Without words. */
  readonly small: boolean;
  readonly t: Words;
  readonly entries: readonly Entry[];
  readonly selection: Selection;
  readonly onSelect: (selection: Selection) => void;
}

interface Title {
  readonly people: readonly Person[];
  readonly t: Words;
  readonly text: string;
}

const titles = new WeakMap<Flight, Title>();

/** What a packet is, in words: the same as long as it flies. */
function titleOf(flight: Flight, entry: Entry, entries: readonly Entry[], people: readonly Person[], t: Words): string {
  const known = titles.get(flight);
  if (known?.t === t && known.people === people) return known.text;
  const text = sentence(entry, entries, people, t);
  titles.set(flight, { people, t, text });
  return text;
}

/** With more than this, words beside packets would lie over each other. */
const WORDS_MAX = 6;

export function Packets(props: PacketsProps) {
  const { flying, at, people, links, width, height, small, t, entries, selection, onSelect } = props;
  const place = new Map(people.map(({ id }, index) => [id, index]));
  const words = !small && flying.length <= WORDS_MAX;
  const chosen = selection && 'entry' in selection ? selection.entry : undefined;
  return (
    <svg class="map-packets" width={width} height={height} aria-hidden="true">
      {flying.map((flight) => {
        const { sent, n } = flight;
        const link = links[place.get(sent.who) ?? -1];
        const entry = entries[n];
        if (!link || !entry) return null;
        const [client, broker] = link;
        const [from, to] = sent.toward === 'broker' ? [client, broker] : [broker, client];
        const spot = onLane(from, to, progressOf(flight, at), small ? 3 : 9);
        const kind = kindOf(sent);
        const text = sent.type === 'PUBLISH' ? (sent.payload === '' ? '∅' : (sent.payload ?? '')) : (sent.type ?? '?');
        return (
          // biome-ignore lint/a11y/noStaticElementInteractions: the Ladder and the Log have each packet for the keyboard.
          <g key={n} class={`packet ${kind}${chosen === n ? ' chosen' : ''}`} onClick={() => onSelect({ entry: n })}>
            <title>{titleOf(flight, entry, entries, people, t)}</title>
            <circle class="packet-ground" cx={spot.x} cy={spot.y} r={small ? 8 : 14} />
            <Shape kind={kind} size={small ? 6 : kind === 'ack' ? 9 : 11} at={spot} />
            {flight.will && <WillSign x={spot.x + 13} y={spot.y - 11} />}
            {sent.retain && <RetainedSign x={spot.x + 12} y={spot.y - 11} />}
            {flight.again && <AgainSign x={spot.x - 13} y={spot.y - 11} />}
            {flight.fate === 'lost' && flight.endAt - at < 60_000 && <LostSign x={spot.x} y={spot.y} size={8} />}
            {words && (
              <text class="packet-text" x={spot.x} y={spot.y + (from.y > to.y + 40 ? -18 : 26)} text-anchor="middle">
                {text.length > 14 ? `${text.slice(0, 13)}…` : text}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}
