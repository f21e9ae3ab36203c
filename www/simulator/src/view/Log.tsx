// The log: one line for everything that happened, which is the complete text form of every other view. Only the lines in
// sight are in the page, however long the log is.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Entry } from '../stage/types';
import { clock } from './clock';
import { rem, stepOf, useFocusLater, useSize, useWindow } from './hooks';
import { AgainSign, kindOf, LostSign, Shape, WillSign } from './marks';
import type { LogViewProps, Words } from './props';
import { type Flight, type Story, storyOf } from './story';
import { nameOf, sentence } from './words';

/** As in view.css. */
const NARROW_REM = 30;

export type LogKind = keyof Words['view']['log']['kinds'];

/** Which of the four kinds of lines an entry is one of. */
export function kindOfEntry(entry: Entry): LogKind {
  if ('sent' in entry || 'delivered' in entry || 'lost' in entry || 'told' in entry) return 'packets';
  if ('decision' in entry) return 'decisions';
  if ('command' in entry || 'refused' in entry) return 'commands';
  return 'connections';
}

/** The client that an entry is about. */
export function clientOf(entry: Entry): string | undefined {
  for (const value of Object.values(entry)) {
    if (typeof value === 'object' && value !== null && typeof value.who === 'string') return value.who;
  }
  return undefined;
}

interface Filter {
  readonly kind: LogKind;
  readonly client: string;
  readonly text: string;
}

interface Found {
  readonly entries: readonly Entry[];
  readonly key: string;
  size: number;
  readonly lines: number[];
}

/** Numbers of the entries that pass; what was found before is kept as long as the question is the same. */
function search(old: Found | null, props: LogViewProps, filter: Filter): Found {
  const { entries, people, t } = props;
  const key = `${t.language} ${filter.kind} ${filter.client} ${filter.text}`;
  const found =
    old && old.entries === entries && old.key === key && old.size <= entries.length
      ? old
      : { entries, key, size: 0, lines: [] };
  const text = filter.text.toLowerCase();
  for (; found.size < entries.length; found.size++) {
    const entry = entries[found.size];
    if (!entry) continue;
    if (filter.kind !== 'all' && kindOfEntry(entry) !== filter.kind) continue;
    if (filter.client !== '' && clientOf(entry) !== filter.client) continue;
    if (text !== '' && !sentence(entry, entries, people, t).toLowerCase().includes(text)) continue;
    found.lines.push(found.size);
  }
  return found;
}

export default function Log(props: LogViewProps) {
  const { entries, playhead, people, t, selection, onSelect, onSeek, follow } = props;
  const [filter, setFilter] = useState<Filter>({ kind: 'all', client: '', text: '' });
  const scroll = useRef<HTMLDivElement>(null);
  const found = useRef<Found | null>(null);
  // Narrow lines have two rows of words.
  const narrow = useSize(scroll, { width: 720, height: 480 }).width < NARROW_REM * rem();
  const row = useMemo(() => Math.round(rem() * (narrow ? 3 : 2)), [narrow]);
  const seen = useWindow(scroll, row * 16);
  const focusLater = useFocusLater(scroll);
  const story = storyOf(entries);
  found.current = search(found.current, props, filter);
  const { lines } = found.current;
  const selected = selection && 'entry' in selection ? selection.entry : -1;
  const place = Math.max(0, lines.indexOf(selected));
  const first = Math.floor(seen.from / row);
  const shown = lines.slice(first, Math.ceil(seen.to / row));
  const [active, setActive] = useState(0);
  const tabbed = selected >= 0 ? (lines[place] ?? -1) : (lines[Math.min(active, lines.length - 1)] ?? -1);

  const go = (index: number, focus: boolean) => {
    const element = scroll.current;
    if (!element) return;
    const top = index * row;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + row > element.scrollTop + element.clientHeight) element.scrollTop = top + row - element.clientHeight;
    // What is focused next must be there in the same breath.
    seen.read();
    if (focus) focusLater(lines[index] ?? -1);
  };

  useEffect(() => {
    if (selected >= 0 && lines.includes(selected)) go(lines.indexOf(selected), false);
  }, [selected]);

  useEffect(() => {
    if (!follow) return;
    let index = lines.length - 1;
    while (index > 0 && (lines[index] ?? 0) >= playhead.entries) index--;
    if (index >= 0) go(index, false);
  }, [follow, playhead.entries, playhead.of]);

  const onKeyDown = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    const at = lines.indexOf(Number(target.dataset.key));
    const to = at < 0 ? undefined : stepOf(event.code, at, lines.length, Math.floor(14));
    if (to === undefined || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    setActive(to);
    go(to, true);
    onSelect({ entry: lines[to] ?? 0 });
  };

  return (
    <div class="view log">
      <LogFilter {...props} filter={filter} setFilter={setFilter} />
      <p class="log-count" role="status">
        {t.log.shown(lines.length, entries.length)}
      </p>
      <div class="log-scroll" ref={scroll}>
        {lines.length === 0 && <p class="empty">{entries.length === 0 ? t.view.ladder.empty : t.view.log.none}</p>}
        <ol class="log-lines" aria-label={t.view.log.table} style={{ height: `${lines.length * row}px` }}>
          {shown.map((n, index) => {
            const entry = entries[n];
            if (!entry) return null;
            const future = n >= playhead.entries;
            return (
              <li
                key={n}
                style={{ transform: `translateY(${(first + index) * row}px)`, height: `${row}px` }}
                aria-setsize={lines.length}
                aria-posinset={first + index + 1}
              >
                <button
                  type="button"
                  class={`log-line${future ? ' future' : ''}`}
                  data-key={n}
                  tabIndex={n === tabbed ? 0 : -1}
                  aria-current={n === selected ? 'true' : undefined}
                  onClick={() => onSelect({ entry: n })}
                  onDblClick={() => onSeek?.(n)}
                  onFocus={() => setActive(first + index)}
                  onKeyDown={onKeyDown}
                >
                  <span class="log-number">{n}</span>
                  <time class="log-time">{clock(entry.at)}</time>
                  <LineSign entry={entry} story={story} />
                  <span class="log-text">
                    {future && <span class="visually-hidden">{t.view.log.future}: </span>}
                    {sentence(entry, entries, people, t)}
                  </span>
                  {entry.cause !== undefined && (
                    <span class="log-cause" aria-hidden="true">
                      ↖{entry.cause}
                    </span>
                  )}
                </button>
              </li>
            );
          })}
        </ol>
      </div>
    </div>
  );
}

function LogFilter(props: LogViewProps & { filter: Filter; setFilter: (filter: Filter) => void }) {
  const { t, people, filter, setFilter } = props;
  return (
    <div class="log-filter">
      <label class="field">
        <span class="field-name">{t.log.search}</span>
        <input
          type="search"
          value={filter.text}
          onInput={(event) => setFilter({ ...filter, text: event.currentTarget.value })}
        />
      </label>
      <label class="field">
        <span class="field-name">{t.view.log.show}</span>
        <select
          value={filter.kind}
          onChange={(event) => setFilter({ ...filter, kind: event.currentTarget.value as LogKind })}
        >
          {Object.entries(t.view.log.kinds).map(([kind, name]) => (
            <option key={kind} value={kind}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span class="field-name">{t.view.log.client}</span>
        <select value={filter.client} onChange={(event) => setFilter({ ...filter, client: event.currentTarget.value })}>
          <option value="">{t.view.log.everybody}</option>
          {people.map(({ id }) => (
            <option key={id} value={id}>
              {nameOf(id, people)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

/** The sign of a line's kind; its words say the same. */
function LineSign({ entry, story }: { entry: Entry; story: Story }) {
  const flight: Flight | undefined = story.byEntry.get(entry.n);
  const content = () => {
    if ('lost' in entry) return <LostSign />;
    if (flight?.will) return <WillSign />;
    if (flight?.again && 'sent' in entry) return <AgainSign />;
    if (flight) return <Shape kind={kindOf(flight.sent)} size={7} />;
    if ('told' in entry) return <path class="sign-line told" d="M-5 0L-1.5 4L5.5 -4" />;
    if ('command' in entry || 'refused' in entry) return <path class="sign-fill" d="M-4 -5L5 0L-4 5Z" />;
    if ('decision' in entry) return <path class="sign-line" d="M-6 0H-1L5 -5M-1 0L5 5" />;
    if ('timer' in entry) return <path class="sign-line" d="M0 -6A6 6 0 1 1 -0.01 -6M0 -3V0.5L2.5 2" />;
    if ('broke' in entry) return <path class="sign-line lost" d="M-6 2L-2 -3L2 3L6 -2" />;
    return <path class="sign-line" d="M-6 0H-2M2 0H6M-2 -3V3M2 -3V3" />;
  };
  return (
    <svg class="log-sign" viewBox="-9 -9 18 18" width="18" height="18" aria-hidden="true">
      {content()}
    </svg>
  );
}
