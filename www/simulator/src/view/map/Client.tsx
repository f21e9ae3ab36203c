// A client on the Map: its picture, its name, how it is, and what its Session holds for it.

import type { ButtonHTMLAttributes } from 'preact';
import type { ClientView, Entry, Playhead, SessionView } from '../../stage/types';
import { IconSvg, WillSign } from '../marks';
import type { Person, Words } from '../props';
import type { Story } from '../story';
import { cutsOf } from './Link';
import type { Scale, Spot } from './place';

export type Member = ButtonHTMLAttributes<HTMLButtonElement>;

export interface ClientProps {
  readonly person: Person;
  readonly spot: Spot;
  readonly scale: Scale;
  readonly client: ClientView;
  readonly session: SessionView | undefined;
  /** Packets on the way to it or from it. */
  readonly carrying: number;
  /** The message that its user got just now. */
  readonly got: string | undefined;
  /** When it comes back by itself, in words. */
  readonly back: string | undefined;
  readonly chosen: boolean;
  readonly member: Member;
  readonly onSelect: () => void;
  readonly t: Words;
}

/** How long a message that has just come is shown, in microseconds of virtual time. */
const SHOWN_MICROS = 1_500_000;

export type ClientState = keyof Words['map']['states'];

export function stateOf(client: ClientView): ClientState {
  if (client.frozen) return 'frozen';
  if (client.half_open.length > 0 && client.state !== 'away') return 'halfOpen';
  return client.state;
}

/** The message that each client's user got last, if that was just now. */
export function justTold(story: Story, entries: readonly Entry[], playhead: Playhead): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let index = story.told.length - 1; index >= 0; index--) {
    const entry = entries[story.told[index] ?? -1];
    if (!entry || !('told' in entry) || entry.n >= playhead.entries) continue;
    if (playhead.at - entry.at > SHOWN_MICROS) break;
    const { who, payload } = entry.told;
    if (!found.has(who)) found.set(who, payload);
  }
  return found;
}

export function Client(props: ClientProps) {
  const { person, spot, scale, client, session, carrying, got, back, chosen, member, onSelect, t } = props;
  const state = stateOf(client);
  const waiting = session?.queue.length ?? 0;
  const inFlight = session?.in_flight.length ?? 0;
  const armed = session?.will != null;
  // What is seen is part of what is heard; a dot shows no words, and is named whole.
  const more = [
    back !== undefined && t.map.states[state],
    armed && t.view.map.armed,
    waiting > 0 && t.view.map.waiting(waiting),
    inFlight > 0 && t.view.map.inFlight(inFlight),
    carrying > 0 && t.map.carrying(carrying),
    got !== undefined && t.view.map.got(got),
    ...cutsOf(client, t),
  ].filter((part) => typeof part === 'string');
  const said = [t.map.client(person.name, back ?? t.map.states[state]), ...more].join(', ');
  return (
    <button
      {...member}
      type="button"
      class={`map-client ${state}`}
      style={{ left: `${spot.x}px`, top: `${spot.y}px` }}
      aria-label={scale === 'dot' ? said : undefined}
      aria-pressed={chosen}
      onClick={onSelect}
    >
      <span class="map-icon">
        <IconSvg icon={person.icon} size={scale === 'card' ? 26 : 20} />
        <StateSign state={state} />
      </span>
      <span class="map-name">{person.name}</span>
      {scale !== 'dot' && (
        <>
          <span class="visually-hidden">, </span>
          <span class={scale === 'card' ? 'map-state' : 'visually-hidden'}>{back ?? t.map.states[state]}</span>
          {more.length > 0 && <span class="visually-hidden">, {more.join(', ')}</span>}
        </>
      )}
      {scale !== 'dot' && (waiting > 0 || inFlight > 0 || armed) && (
        <span class="map-badges" aria-hidden="true">
          {armed && (
            <svg viewBox="-9 -9 18 18" width="18" height="18" aria-hidden="true">
              <WillSign />
            </svg>
          )}
          {waiting > 0 && <span class="map-badge">{t.view.map.waiting(waiting)}</span>}
          {inFlight > 0 && <span class="map-badge">{t.view.map.inFlight(inFlight)}</span>}
        </span>
      )}
      {got !== undefined && (
        <span class="map-got" aria-hidden="true">
          {got === '' ? '∅' : got}
        </span>
      )}
    </button>
  );
}

/** The state as a sign: nothing, dots, a star of ice, a gap. */
function StateSign({ state }: { state: ClientState }) {
  const paths: { readonly [state in ClientState]: string } = {
    connected: 'M-4 0L-1 3.2L4.5 -3.5',
    connecting: 'M-4.5 0h.01M0 0h.01M4.5 0h.01',
    away: 'M-4 0H4',
    frozen: 'M0 -5V5M-4.3 -2.5L4.3 2.5M-4.3 2.5L4.3 -2.5',
    halfOpen: 'M-5 0H-2M2 0H5M-2 -3.5V3.5M2 -3.5V3.5',
  };
  return (
    <svg class="map-state-sign" viewBox="-8 -8 16 16" width="16" height="16" aria-hidden="true">
      <circle r="7.5" />
      <path d={paths[state]} />
    </svg>
  );
}
