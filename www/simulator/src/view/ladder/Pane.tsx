// One Ladder: the columns' heads, the times, and the part of the diagram that is in sight. What has not changed since it
// was last drawn is not compared again, so that scrolling a log of ten thousand entries stays smooth.

import type { VNode } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { stepOf, useFocusLater, useSize } from '../hooks';
import { IconSvg } from '../marks';
import type { LadderProps, Person } from '../props';
import { type Flight, type Mark, type Story, storyOf } from '../story';
import { nameOf } from '../words';
import { arrowOf, type Bar, barsOf, bracketOf, type Now, type Sign, signOf } from './geometry';
import { AXIS, type Column, type Columns, columnsOf, type Layout, layoutOf } from './layout';
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
} from './shapes';

export interface PaneProps extends LadderProps {
  readonly label: string;
  /** A height at which another branch parts from this one. */
  readonly partsAt?: number;
  /** Another branch than the one that is played: it has no present. */
  readonly other?: boolean;
  /** Another pane scrolls along. */
  readonly onScroll?: (top: number) => void;
  readonly scrollTo?: number;
}

interface View {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
  /** With labels. */
  readonly words: boolean;
}

const STEP_Y = 160;
const STEP_X = 416;

/** What is in sight, in steps, with so many steps more above and below. */
function viewOf(element: HTMLElement, more: number, words: boolean): View {
  const { scrollTop, scrollLeft, clientHeight, clientWidth } = element;
  return {
    top: Math.max(0, (Math.floor(scrollTop / STEP_Y) - more) * STEP_Y),
    bottom: (Math.ceil((scrollTop + clientHeight) / STEP_Y) + more) * STEP_Y,
    left: Math.max(0, Math.floor(scrollLeft / STEP_X) * STEP_X),
    right: Math.ceil((scrollLeft + clientWidth) / STEP_X) * STEP_X,
    words,
  };
}

/**
 * What is drawn next. After a jump that is first only what is in sight and without words, a frame later the words, and
 * then what is near: no single step takes long, however far it goes.
 */
function nextView(element: HTMLElement, old: View, later: () => void): View {
  const whole = viewOf(element, 1, true);
  if (sameView(old, whole)) return old;
  const near = viewOf(element, 0, true);
  const overlaps = whole.top < old.bottom && whole.bottom > old.top && whole.left < old.right && whole.right > old.left;
  const covers = old.top <= near.top && old.bottom >= near.bottom;
  if (overlaps && old.words && (covers || near.top - old.top < 3 * STEP_Y)) return whole;
  requestAnimationFrame(later);
  return overlaps && covers ? near : viewOf(element, 0, false);
}

const sameView = (a: View, b: View): boolean =>
  a.top === b.top && a.bottom === b.bottom && a.left === b.left && a.right === b.right && a.words === b.words;

/** Clients with a column: those of the scenario, then those that came later. */
function clientsOf(people: readonly Person[], story: Story, only: readonly string[] | undefined): string[] {
  const known = people.map(({ id }) => id);
  const all = [...known, ...[...story.seen].filter((who) => !known.includes(who))];
  return only ? all.filter((who) => only.includes(who)) : all;
}

/** What the arrow keys go through: packets and marks of the clients that have a column, from the first to the last. */
function membersOf(story: Story, columns: Columns): readonly { readonly n: number; readonly who: string }[] {
  const packets = story.flights.map(({ n, sent }) => ({ n, who: sent.who }));
  const marks = story.marks.filter(({ kind }) => kind !== 'told');
  return [...packets, ...marks].filter(({ who }) => columns.byWho.has(who)).sort((a, b) => a.n - b.n);
}

export function Pane(props: PaneProps) {
  const { entries, playhead, people, t, language, selection, onSelect, follow, onFollow, onSeek } = props;
  const scroll = useRef<HTMLDivElement>(null);
  const { width } = useSize(scroll, { width: 720, height: 480 });
  const story = storyOf(entries);
  const layout = layoutOf(entries);
  const { only } = props;
  const seen = story.seen.size;
  const columns = useMemo(
    () => columnsOf(clientsOf(people, story, only), width),
    // A story grows in place: what it has seen is all that counts here.
    [people, story, only, width, seen],
  );
  const [view, setView] = useState<View>({ top: 0, bottom: 960, left: 0, right: 1248, words: true });
  const now: Now = { entries: playhead.entries, at: playhead.at };
  const height = Math.max(layout.height, layout.yAt(playhead.at) + 40);
  const selected = selection && 'entry' in selection ? story.byEntry.get(selection.entry)?.n : undefined;
  const selectedSign = selection && 'entry' in selection ? selection.entry : undefined;
  const body = useRef<SVGSVGElement>(null);
  const focusLater = useFocusLater(body);

  useLayoutEffect(() => {
    const element = scroll.current;
    if (!element) return;
    const look = () => setView((old) => nextView(element, old, look));
    const read = () => {
      look();
      props.onScroll?.(element.scrollTop);
    };
    read();
    element.addEventListener('scroll', read, { passive: true });
    return () => element.removeEventListener('scroll', read);
  }, [width, props.onScroll]);

  const scrollInto = useCallback((y: number, x?: number) => {
    const element = scroll.current;
    if (!element) return;
    const [head, room] = [52, element.clientHeight];
    if (y < element.scrollTop + 30) element.scrollTop = y - 60;
    else if (y > element.scrollTop + room - head - 40) element.scrollTop = y - room + head + 80;
    if (x !== undefined) {
      if (x < element.scrollLeft + AXIS + 20) element.scrollLeft = x - AXIS - 60;
      else if (x > element.scrollLeft + element.clientWidth - 20) element.scrollLeft = x - element.clientWidth + 80;
    }
    // Not only when the browser says so: what is focused next must be there in the same breath.
    setView(() => viewOf(element, 1, true));
  }, []);

  const nowY = layout.yAt(playhead.at);
  useEffect(() => {
    if (follow) scrollInto(nowY);
  }, [follow, nowY]);
  useEffect(() => {
    const flight = selected === undefined ? undefined : story.byPacket.get(selected);
    if (flight) scrollInto(layout.y(flight.n), columns.byWho.get(flight.sent.who)?.x);
  }, [selected]);
  useEffect(() => {
    if (scroll.current && props.scrollTo !== undefined) scroll.current.scrollTop = props.scrollTo;
  }, [props.scrollTo]);

  // A reader who turns the wheel wants to look elsewhere.
  const leave = () => follow && onFollow?.(false);

  const shown = useMemo(
    () =>
      columns.clients.filter(({ x, broker }) => Math.max(x, broker) > view.left && Math.min(x, broker) < view.right),
    [columns, view.left, view.right],
  );
  const [first, last] = layout.entriesBetween(view.top, view.bottom);
  const isShown = new Map(shown.map((column) => [column.who, column]));
  const flights = story
    .flightsBetween(first, last)
    .filter(({ sent }) => isShown.has(sent.who))
    .sort((a, b) => a.n - b.n);
  const marks = story.marksBetween(first, last).filter(({ kind, who }) => kind !== 'told' && isShown.has(who));
  // Of packets and marks in sight one is in the tab order: the chosen one, else the first.
  const chosenOne = selected ?? selectedSign;
  const inSight = [...flights, ...marks].some(({ n }) => n === chosenOne);
  const tabbed = inSight ? chosenOne : (flights.find(({ n }) => layout.y(n) >= view.top) ?? marks[0])?.n;

  const onKeyDown = (event: KeyboardEvent) => {
    const at = Number((event.currentTarget as SVGElement).dataset.key);
    if (event.isComposing || Number.isNaN(at)) return;
    const done = () => {
      event.preventDefault();
      event.stopPropagation();
    };
    if (event.code === 'Enter' || event.code === 'Space') {
      done();
      return onSelect({ entry: at });
    }
    const all = membersOf(story, columns);
    const index = all.findIndex(({ n }) => n === at);
    const to = stepOf(event.code, index, all.length);
    const next = to === undefined ? undefined : all[to];
    if (!next) return;
    done();
    leave();
    scrollInto(layout.y(next.n), columns.byWho.get(next.who)?.x);
    focusLater(next.n);
  };

  const keys = useRef(onKeyDown);
  keys.current = onKeyDown;
  const cached = useCache([entries, columns, people, t]);
  const scene: Scene = { props, story, layout, columns, shown, view, now, first, last };

  const drawn = (flight: Flight): Drawn | null => {
    const { n } = flight;
    const column = isShown.get(flight.sent.who);
    const entry = entries[n];
    if (!column || !entry) return null;
    const state = n >= now.entries ? 'future' : flight.end >= now.entries ? `flying ${now.at}` : `past ${flight.end}`;
    const chosen = n === selected;
    return cached(n, `${state} ${chosen} ${n === tabbed}`, () => {
      const arrow = arrowOf(flight, entry, layout, column, columns.label, now, entries, people, t);
      const name = `arrow ${arrow.kind} ${arrow.state} ${arrow.fate}${arrow.will ? ' is-will' : ''}`;
      const label = (
        <g key={n} class={`${name}${chosen ? ' chosen' : ''}`}>
          <ArrowLabel arrow={arrow} />
        </g>
      );
      const line = (
        // biome-ignore lint/a11y/useSemanticElements: there are no buttons in SVG.
        <g
          key={n}
          class={name}
          role="button"
          tabindex={n === tabbed ? 0 : -1}
          data-key={n}
          aria-label={arrow.spoken}
          aria-pressed={chosen}
          onClick={() => onSelect({ entry: n })}
          onKeyDown={(event) => keys.current(event)}
        >
          <ArrowLine arrow={arrow} />
        </g>
      );
      return { line, label };
    });
  };
  const arrows = flights.map(drawn);

  return (
    <div class={`ladder-scroll${columns.each < 120 ? ' narrow' : ''}`} ref={scroll} onWheel={leave} onTouchMove={leave}>
      <p class="visually-hidden">{t.view.ladder.keys}</p>
      <Heads {...props} columns={columns} shown={shown} />
      <div class="ladder-body" style={{ height: `${height}px`, width: `${columns.width}px` }}>
        {entries.length === 0 && <p class="empty">{t.view.ladder.empty}</p>}
        {/* biome-ignore lint/a11y/useSemanticElements: there are no field sets in SVG. */}
        <svg
          class="ladder-svg"
          ref={body}
          role="group"
          aria-label={props.label}
          style={{ top: `${view.top}px` }}
          width={columns.width}
          height={Math.max(0, Math.min(view.bottom, height) - view.top)}
          viewBox={`0 ${view.top} ${columns.width} ${Math.max(1, Math.min(view.bottom, height) - view.top)}`}
          onDblClick={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            const at = layout.timeAt(view.top + event.clientY - box.top);
            const tick = layout.ticksBetween(layout.yAt(at), layout.yAt(at)).find((one) => one.at <= at);
            if (tick) onSeek?.(tick.first);
          }}
        >
          <Background {...scene} />
          {arrows.map((arrow) => arrow?.line)}
          {entries.length > 0 && !props.other && <path class="now-line" d={`M0 ${nowY}H${columns.width}`} />}
          {/* All words lie over all lines. */}
          <g class="labels">{view.words && arrows.map((arrow) => arrow?.label)}</g>
          {view.words && (
            <Signs {...scene} {...{ marks, tabbed }} selected={selectedSign} onKey={(event) => keys.current(event)} />
          )}
        </svg>
        <div class="ladder-axis">
          <svg
            aria-hidden="true"
            style={{ top: `${view.top}px` }}
            width={AXIS}
            height={Math.max(0, Math.min(view.bottom, height) - view.top)}
            viewBox={`0 ${view.top} ${AXIS} ${Math.max(1, Math.min(view.bottom, height) - view.top)}`}
          >
            <Axis ticks={layout.ticksBetween(view.top, view.bottom)} t={t} language={language} />
            {!props.other && (
              <>
                <path class="now-flag" d={`M0 ${nowY - 9}H${AXIS - 10}L${AXIS} ${nowY}L${AXIS - 10} ${nowY + 9}H0Z`} />
                <text class="now-text" x={AXIS - 14} y={nowY + 4} text-anchor="end">
                  {t.view.now}
                </text>
              </>
            )}
          </svg>
        </div>
      </div>
    </div>
  );
}

interface Drawn {
  readonly line: VNode;
  readonly label: VNode;
}

/** So many arrows are kept drawn; more are in sight only on a wall. */
const CACHE_MAX = 1000;

/** Arrows by their number, made anew when what they were made from changes. */
function useCache(from: readonly unknown[]): (n: number, key: string, make: () => Drawn) => Drawn {
  const cache = useMemo(() => new Map<number, { readonly key: string; readonly drawn: Drawn }>(), from);
  return (n, key, make) => {
    const known = cache.get(n);
    if (known?.key === key) return known.drawn;
    if (cache.size > CACHE_MAX) cache.clear();
    const drawn = make();
    cache.set(n, { key, drawn });
    return drawn;
  };
}

interface Scene {
  readonly props: PaneProps;
  readonly story: Story;
  readonly layout: Layout;
  readonly columns: Columns;
  /** The columns in sight. */
  readonly shown: readonly Column[];
  readonly view: View;
  readonly now: Now;
  /** The entries in sight. */
  readonly first: number;
  readonly last: number;
}

/** What lies behind the packets: lifelines, what lasts, exchanges, the broker's new beginnings. */
function Background({ props, story, layout, columns, shown, view, now, first, last }: Scene) {
  const { t, entries } = props;
  const visible: Columns = { ...columns, clients: shown, brokers: [...new Set(shown.map(({ broker }) => broker))] };
  const bars = shown.flatMap((column): (Bar & { who: string })[] =>
    barsOf(story.spans.get(column.who) ?? [], layout, column, now, view.top, view.bottom).map((bar) => ({
      ...bar,
      who: column.who,
    })),
  );
  const sessions = bars.filter(({ kind }) => kind === 'session').sort((a, b) => Number(a.solid) - Number(b.solid));
  const brackets = story.exchangesBetween(first, last).flatMap((exchange) => {
    const column = shown.find(({ who }) => who === exchange.who);
    const found = column && bracketOf(exchange, layout, column, now, t);
    return found ? [found] : [];
  });
  const restarts = story.restarts.filter((n) => n >= first && n <= last && n < now.entries);
  return (
    <g class="background">
      {sessions.map((bar) => (
        <BarShape key={`${bar.who} ${bar.key}`} bar={bar} />
      ))}
      <Lifelines columns={visible} from={view.top} to={view.bottom} />
      {bars
        .filter(({ kind }) => kind !== 'session')
        .map((bar) => (
          <BarShape key={`${bar.who} ${bar.key}`} bar={bar} />
        ))}
      {brackets.map((bracket) => (
        <BracketShape key={bracket.key} bracket={bracket} />
      ))}
      {restarts.map((n) => {
        const entry = entries[n];
        const storage = entry && 'restarted' in entry ? entry.restarted.storage : true;
        const label = t.view.ladder.restart(storage);
        return <RestartShape key={n} y={layout.y(n)} columns={visible} label={label} />;
      })}
      {props.partsAt !== undefined && (
        <>
          <path class="parts-line" d={`M0 ${props.partsAt}H${columns.width}`} />
          <text class="parts-text" x={columns.width - 10} y={props.partsAt - 5} text-anchor="end">
            {t.view.ladder.parts}
          </text>
        </>
      )}
    </g>
  );
}

interface SignsProps extends Scene {
  readonly marks: readonly Mark[];
  readonly selected: number | undefined;
  /** The entry of the one that is in the tab order. */
  readonly tabbed: number | undefined;
  readonly onKey: (event: KeyboardEvent) => void;
}

/** Marks on the lifelines: cuts, silences, timers, and what reached a client's user. */
function Signs({ props, story, layout, shown, now, first, last, marks, selected, tabbed, onKey }: SignsProps) {
  const { entries, people, t, onSelect } = props;
  const sign = (mark: Mark): Sign | null => {
    const column = shown.find(({ who }) => who === mark.who);
    const entry = entries[mark.n];
    return column && entry ? signOf(mark, entry, layout, column, now, entries, people, t) : null;
  };
  const told = story
    .marksBetween(first, last)
    .flatMap((mark) => (mark.kind === 'told' ? (sign(mark) ?? []) : []))
    .filter(({ state }) => state === 'past');
  return (
    <>
      {marks.map((mark) => {
        const drawn = sign(mark);
        return (
          drawn && (
            // biome-ignore lint/a11y/useSemanticElements: there are no buttons in SVG.
            <g
              key={mark.n}
              class={`mark ${drawn.state}${mark.n === selected ? ' selected' : ''}`}
              role="button"
              tabindex={mark.n === tabbed ? 0 : -1}
              data-key={mark.n}
              aria-label={drawn.label ? `${drawn.label}: ${drawn.spoken}` : drawn.spoken}
              aria-pressed={mark.n === selected}
              onClick={() => onSelect({ entry: mark.n })}
              onKeyDown={onKey}
            >
              <title>{drawn.spoken}</title>
              <SignShape sign={drawn} />
            </g>
          )
        );
      })}
      <ToldShape signs={told} />
    </>
  );
}

/** The names over the columns; a press chooses the client. */
function Heads({
  columns,
  shown,
  people,
  t,
  selection,
  onSelect,
  playhead,
  entries,
}: PaneProps & { columns: Columns; shown: readonly Column[] }) {
  const chosen = selection && 'client' in selection ? selection.client : undefined;
  const story = storyOf(entries);
  const isUp = (who: string) =>
    (story.spans.get(who) ?? []).some(
      ({ kind, from, to }) => kind === 'link' && from < playhead.entries && to >= playhead.entries,
    );
  return (
    <div class="ladder-heads" style={{ width: `${columns.width}px` }}>
      <span class="ladder-head-axis">{t.view.time}</span>
      {shown.map(({ who, x }) => (
        <button
          key={who}
          type="button"
          class={`ladder-head${isUp(who) ? ' up' : ''}`}
          style={{ left: `${x}px`, maxWidth: `${columns.each - 8}px` }}
          aria-pressed={chosen === who}
          onClick={() => onSelect({ client: who })}
        >
          <IconSvg icon={people.find(({ id }) => id === who)?.icon ?? 'sensor'} size={18} />
          <span class="ladder-head-name">{nameOf(who, people)}</span>
        </button>
      ))}
      {columns.many
        ? shown.map(({ broker }) => (
            <span key={broker} class="ladder-head broker small" style={{ left: `${broker}px` }} aria-hidden="true">
              <IconSvg icon="broker" size={16} />
            </span>
          ))
        : columns.brokers.map((x) => (
            <button
              key={x}
              type="button"
              class="ladder-head broker up"
              style={{ left: `${x}px`, maxWidth: `${columns.each - 8}px` }}
              aria-pressed={selection !== null && 'broker' in selection}
              onClick={() => onSelect({ broker: true })}
            >
              <IconSvg icon="broker" size={18} />
              <span class="ladder-head-name">{t.broker}</span>
            </button>
          ))}
    </div>
  );
}
