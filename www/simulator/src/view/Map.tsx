// The Map: the broker in the middle, clients around it, packets on their way between them. Clients, links and the broker
// are buttons in one group: arrow keys go from one to the next, and everything that is drawn has a name.

import { useMemo, useRef, useState } from 'preact/hooks';
import type { ClientView } from '../stage/types';
import { span } from './clock';
import { useKept, useMotion, useSize } from './hooks';
import { Broker } from './map/Broker';
import { Client, justTold } from './map/Client';
import { flyingAt, useGlide } from './map/flying';
import { Link } from './map/Link';
import { Packets } from './map/Packets';
import { brokerHalfOf, linkOf, memberAfter, placesOf, type Spot } from './map/place';
import type { MapProps, Person, Selection } from './props';
import { storyOf } from './story';

/** Who is on the Map: the clients that the Stage has now, named as people know them. */
function present(props: MapProps): readonly Person[] {
  const known = new Map(props.people.map((person) => [person.id, person]));
  return props.sessions.clients.map(({ who }) => known.get(who) ?? { id: who, name: who, icon: 'sensor' });
}

/** Before the client's id: the member of the group is its link. */
const LINK = 'link ';

/** What a member of the group is. */
const meant = (member: string): NonNullable<Selection> =>
  member === 'broker'
    ? { broker: true }
    : member.startsWith(LINK)
      ? { link: member.slice(LINK.length) }
      : { client: member };

const middleOf = ([from, to]: readonly [Spot, Spot]): Spot => ({ x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 });

export default function ClientMap(props: MapProps) {
  const { entries, playhead, sessions, t, selection, onSelect, onMenu, playing } = props;
  const ref = useRef<HTMLFieldSetElement>(null);
  const { width, height } = useSize(ref, { width: 720, height: 460 });
  const motion = useMotion(props.motion);
  const story = storyOf(entries);
  const people = useMemo(() => present(props), [props.people, sessions.clients.map(({ who }) => who).join('\n')]);
  const places = useMemo(() => placesOf(people.length, width, height), [people.length, width, height]);
  const topicsMax = width < 480 ? 2 : 4;
  const brokerHalf = brokerHalfOf(width, Math.min(topicsMax, props.topics.length), props.topics.length > topicsMax);
  const at = useGlide(playhead.at, motion && !playing);
  const flying = flyingAt(story, at, playhead.entries, at);
  const links = useMemo(
    () => places.clients.map((spot) => linkOf(spot, places.broker, places.scale, brokerHalf)),
    [places, brokerHalf.x, brokerHalf.y],
  );
  const [active, setActive] = useState('broker');
  const members = ['broker', ...people.map(({ id }) => LINK + id), ...people.map(({ id }) => id)];
  const tabbed = members.includes(active) ? active : 'broker';

  const focus = (who: string) => {
    setActive(who);
    ref.current?.querySelector<HTMLElement>(`[data-member="${CSS.escape(who)}"]`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const element = event.currentTarget as HTMLElement | SVGElement;
    const who = element.dataset.member;
    const from = members.indexOf(who ?? '');
    if (from < 0 || event.isComposing) return;
    const to = memberAfter(event.code, from, places, links.map(middleOf));
    const isMenu = event.code === 'Enter' || event.code === 'ContextMenu' || (event.code === 'F10' && event.shiftKey);
    if (isMenu && onMenu && who) {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      onSelect(meant(who));
      onMenu(meant(who), { x: box.left + box.width / 2, y: box.bottom });
    } else if (who?.startsWith(LINK) && (event.code === 'Enter' || event.code === 'Space')) {
      // A button does this by itself.
      event.preventDefault();
      event.stopPropagation();
      onSelect(meant(who));
    } else if (event.code.startsWith('Arrow') || to !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      const next = to === undefined ? undefined : members[to];
      if (next) focus(next);
    }
  };
  const menu = (event: MouseEvent, who: string) => {
    if (!onMenu) return;
    event.preventDefault();
    onSelect(meant(who));
    onMenu(meant(who), { x: event.clientX, y: event.clientY });
  };
  // What is kept drawn calls what is meant now.
  const latest = useRef({ onKeyDown, menu, onSelect });
  latest.current = { onKeyDown, menu, onSelect };
  const chosen = selection && 'client' in selection ? selection.client : undefined;
  const chosenLink = selection && 'link' in selection ? selection.link : undefined;
  const member = (who: string) => ({
    'data-member': who,
    // In small letters, as SVG has it.
    tabindex: who === tabbed ? 0 : -1,
    onFocus: () => setActive(who),
    onKeyDown: (event: KeyboardEvent) => latest.current.onKeyDown(event),
    onContextMenu: (event: MouseEvent) => latest.current.menu(event, who),
    onDblClick: (event: MouseEvent) => latest.current.menu(event, who),
  });
  const told = justTold(story, entries, playhead);
  const kept = useMemo(() => new Map(sessions.sessions.map((session) => [session.who, session])), [sessions]);
  const carried = new Map<string, number>();
  for (const { sent } of flying) carried.set(sent.who, (carried.get(sent.who) ?? 0) + 1);
  const keep = useKept();
  const clientNode = (person: Person, spot: Spot, client: ClientView) => {
    const who = person.id;
    const session = kept.get(who);
    const got = told.get(who);
    const carrying = carried.get(who) ?? 0;
    const back =
      client.back_at === null ? undefined : t.view.map.backIn(span(client.back_at - playhead.at, props.language));
    const isChosen = chosen === who;
    const { scale } = places;
    return keep(who, [person, spot, client, session, got, carrying, back, t, isChosen, who === tabbed, scale], () => (
      <Client
        key={who}
        {...{ person, spot, client, session, got, carrying, back, t, scale }}
        chosen={isChosen}
        member={member(who)}
        onSelect={() => latest.current.onSelect({ client: who })}
      />
    ));
  };
  return (
    <fieldset class={`view map ${places.scale}`} ref={ref} aria-label={t.map.label(people.length)}>
      <p class="visually-hidden">{t.view.map.keys}</p>
      {/* biome-ignore lint/a11y/useSemanticElements: there are no field sets in SVG. */}
      <svg class="map-links" width={width} height={height} role="group" aria-label={t.view.log.kinds.connections}>
        {people.map((person, index) => {
          const [link, client] = [links[index], sessions.clients[index]];
          if (!link || !client) return null;
          const { id } = person;
          const isChosen = chosenLink === id;
          const from = [person, link, client, t, isChosen, LINK + id === tabbed, places.scale];
          return keep(LINK + id, from, () => (
            <Link
              key={id}
              {...{ person, link, client, t }}
              scale={places.scale}
              chosen={isChosen}
              member={member(LINK + id)}
              onSelect={() => latest.current.onSelect({ link: id })}
            />
          ));
        })}
      </svg>
      {people.map((person, index) => {
        const spot = places.clients[index];
        const client = sessions.clients[index];
        return spot && client ? clientNode(person, spot, client) : null;
      })}
      <Broker
        {...props}
        spot={places.broker}
        most={topicsMax}
        half={brokerHalf}
        chosen={selection !== null && 'broker' in selection}
        member={member('broker')}
      />
      <Packets
        {...{ flying, at, people, links, t, entries, selection, onSelect }}
        width={width}
        height={height}
        small={places.scale === 'dot'}
      />
    </fieldset>
  );
}
