// Topics: the tree of everything that messages were published to, with retained values; beside it what each Subscription
// covers, drawn as a range; and a Topic Filter to try, which shows at which level other topics fail.

import { useMemo, useRef, useState } from 'preact/hooks';
import { stepOf } from './hooks';
import { isLit } from './map/Broker';
import { QosBadge, SignBadge } from './marks';
import type { TopicsProps, Words } from './props';
import { type Node, type Range, rangesOf, treeOf } from './topics/tree';
import { nameOf } from './words';

/** More ranges than this beside the tree are a wall. */
const RANGES_MAX = 8;

export default function Topics(props: TopicsProps) {
  const { topics, sessions, tryFilter, people, t, playhead } = props;
  const [filter, setFilter] = useState(props.filter ?? '');
  const nodes = useMemo(() => treeOf(topics), [topics]);
  const ranges = useMemo(() => rangesOf(nodes, sessions, tryFilter), [nodes, sessions]);
  // The answer holds for the topics that were there when it was given.
  const tried = useMemo(() => (filter === '' ? null : tryFilter(filter)), [filter, topics, playhead.entries]);
  const fails = new Map(tried?.topics ?? []);
  return (
    <div class="view inspector topics">
      <TryFilter {...props} filter={filter} setFilter={setFilter} error={tried?.error ?? null} />
      {tried && !tried.error && (
        <p class="topics-count" role="status">
          {t.topics.matches([...fails.values()].filter((level) => level === null).length)}
        </p>
      )}
      {nodes.length === 0 ? (
        <p class="empty">{t.topics.empty}</p>
      ) : (
        <Tree
          {...props}
          nodes={nodes}
          ranges={ranges.slice(0, RANGES_MAX)}
          fails={tried && !tried.error ? fails : null}
        />
      )}
      {ranges.length > 0 && (
        <>
          <h3>{t.view.topics.ranges}</h3>
          <ul class="rows">
            {ranges.map((range, index) => (
              <li key={`${range.who} ${range.filter}`}>
                {index < RANGES_MAX && <RangeSign range={range} number={index + 1} />}
                <QosBadge qos={range.qos} label={t.view.qos(range.qos)} />
                <button type="button" class="link-button" onClick={() => setFilter(range.filter)}>
                  <code>{range.filter}</code>
                </button>
                <span class="soft">
                  {nameOf(range.who, people)}
                  {range.kind !== 'exact' && `, ${range.kind === 'rest' ? t.view.topics.rest : t.view.topics.single}`}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

interface TryProps extends TopicsProps {
  readonly filter: string;
  readonly setFilter: (filter: string) => void;
  readonly error: readonly [string, string] | null;
}

/** Which of the four mistakes of a Topic Filter it is; the Stage says the rule. */
function filterError(filter: string, t: Words): string {
  const words = t.topics.filterErrors;
  if (filter === '') return words.empty;
  if (filter.includes('\0')) return words.nul;
  return filter.split('/').some((level) => level.includes('#') && level !== '#') || /#\//.test(filter)
    ? words.hash
    : words.plus;
}

function TryFilter({ filter, setFilter, error, t, onSubscribeHere }: TryProps) {
  return (
    <div class="try-filter">
      <label class="field">
        <span class="field-name">{t.topics.tryFilter}</span>
        <input
          class="code"
          value={filter}
          placeholder={t.view.topics.typeHere}
          spellcheck={false}
          autocapitalize="off"
          autocomplete="off"
          aria-invalid={error !== null}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
      </label>
      {onSubscribeHere && filter !== '' && !error && (
        <button type="button" class="button" onClick={() => onSubscribeHere(filter)}>
          {t.topics.subscribeHere}
        </button>
      )}
      {error && (
        <p class="verdict bad" role="status">
          <strong>{t.view.topics.error}.</strong> {filterError(filter, t)}{' '}
          <span class="statement">{error[1].replace(/^(5|311):/, '')}</span>
        </p>
      )}
    </div>
  );
}

interface TreeProps extends TopicsProps {
  readonly nodes: readonly Node[];
  readonly ranges: readonly Range[];
  /** For each topic where the tried filter fails; `null`: no filter is tried. */
  readonly fails: ReadonlyMap<string, number | null> | null;
}

const LANE = 14;

function Tree(props: TreeProps) {
  const { nodes, ranges, fails, t, selection, onSelect, entries, playhead, onPublishHere } = props;
  const chosen = selection && 'topic' in selection ? selection.topic : undefined;
  const [active, setActive] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const place = nodes.findIndex(({ path }) => path === chosen);
  const tabbed = place >= 0 ? place : Math.min(active, nodes.length - 1);
  const onKeyDown = (event: KeyboardEvent) => {
    const at = Number((event.currentTarget as HTMLElement).dataset.row);
    const done = () => {
      event.preventDefault();
      event.stopPropagation();
    };
    if (event.code === 'Enter' || event.code === 'Space') {
      done();
      const path = nodes[at]?.path;
      if (path !== undefined) onSelect({ topic: path });
      return;
    }
    const to = event.isComposing ? undefined : stepOf(event.code, at, nodes.length);
    if (to === undefined) return;
    done();
    setActive(to);
    box.current?.querySelector<HTMLElement>(`[data-row="${to}"]`)?.focus();
  };
  return (
    <div class="topic-box">
      {ranges.length > 0 && (
        <p class="topic-lanes" aria-hidden="true">
          {ranges.map((range, index) => (
            <span key={`${range.who} ${range.filter}`}>{index + 1}</span>
          ))}
        </p>
      )}
      <div class="topic-tree" role="tree" aria-label={t.view.topics.tree} ref={box}>
        {nodes.map((node, index) => {
          const { topic } = node;
          const fail = topic && fails ? (fails.get(node.path) ?? null) : undefined;
          const lit = topic !== undefined && isLit(topic, entries, playhead.at);
          const state = fail === undefined ? '' : fail === null ? ' match' : ' fail';
          return (
            <div
              key={node.path}
              role="treeitem"
              class={`topic-row${topic ? '' : ' inner'}${state}${lit ? ' lit' : ''}`}
              style={{ '--level': node.level }}
              aria-level={node.level}
              aria-selected={index === place}
              tabIndex={index === tabbed ? 0 : -1}
              data-row={index}
              onClick={() => onSelect({ topic: node.path })}
              onDblClick={() => topic && onPublishHere?.(node.path)}
              onFocus={() => setActive(index)}
              onKeyDown={onKeyDown}
            >
              <span class="visually-hidden">{rowWords(node, fail, lit, t)}</span>
              <span class="topic-name" aria-hidden="true">
                {node.level > 1 && <span class="topic-slash">/</span>}
                {node.name === '' ? <em>{t.topics.emptyLevel}</em> : node.name}
                {lit && <span class="topic-lamp" />}
              </span>
              <span class="topic-value" aria-hidden="true">
                {topic?.retained && (
                  <>
                    <SignBadge sign="retained" label={t.topics.retained} />
                    <span>{topic.retained.payload}</span>
                  </>
                )}
                {topic && topic.published > 0 && <span class="count">{topic.published}</span>}
              </span>
              <span class="topic-verdict" aria-hidden="true">
                {fail !== undefined && (
                  <>
                    <VerdictSign matches={fail === null} />
                    {fail !== null && (
                      <>
                        <span class="words">{t.view.topics.noMatch(fail)}</span>
                        <span class="level">{fail}</span>
                      </>
                    )}
                  </>
                )}
              </span>
              <RangeRow ranges={ranges} row={index} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function rowWords(node: Node, fail: number | null | undefined, lit: boolean, t: Words): string {
  const { topic } = node;
  return [
    node.path === '' ? t.topics.emptyLevel : node.path,
    topic?.retained && `${t.topics.retained} ${topic.retained.payload}`,
    topic && topic.published > 0 && t.view.topics.count(topic.published),
    lit && t.view.topics.lit,
    fail === null && t.view.topics.match,
    typeof fail === 'number' && t.view.topics.noMatch(fail),
  ]
    .filter((part) => typeof part === 'string')
    .join(', ');
}

function VerdictSign({ matches }: { matches: boolean }) {
  return (
    <svg class={matches ? 'yes' : 'no'} viewBox="-7 -7 14 14" width="14" height="14" aria-hidden="true">
      <path class="sign-line" d={matches ? 'M-4 0L-1 3.2L4.5 -3.5' : 'M-3 -3L3 3M3 -3L-3 3'} />
    </svg>
  );
}

/** One row's part of all ranges: a line where it passes, a dot where it matches. */
function RangeRow({ ranges, row }: { ranges: readonly Range[]; row: number }) {
  if (ranges.length === 0) return null;
  const width = ranges.length * LANE + 4;
  return (
    <svg
      class="topic-ranges"
      viewBox={`0 0 ${width} 32`}
      width={width}
      height="32"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {ranges.map((range, lane) => {
        if (row < range.first || row > range.last) return null;
        const x = lane * LANE + LANE / 2;
        const [from, to] = [row === range.first ? 16 : 0, row === range.last ? 16 : 32];
        return (
          <g key={`${range.who} ${range.filter}`} class={`range ${range.kind}`}>
            {from < to && <path d={`M${x} ${from}V${to}`} />}
            {range.rows.has(row) && <circle cx={x} cy="16" r="4" />}
          </g>
        );
      })}
    </svg>
  );
}

/** The lane's number and its line, before the filter's name. */
function RangeSign({ range, number }: { range: Range; number: number }) {
  return (
    <svg class={`range ${range.kind}`} viewBox="-4 -10 30 20" width="30" height="20" aria-hidden="true">
      <path d="M2 -9V9" />
      <circle cx="2" cy="0" r="4" />
      <text x="18" y="4" text-anchor="middle">
        {number}
      </text>
    </svg>
  );
}
