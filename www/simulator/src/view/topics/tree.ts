// Topics as a tree of levels, in the order of their names, and what Topic Filters cover of it.

import type { Sessions, TopicView, TriedFilter } from '../../stage/types';

/** A level in the tree; a topic ends here if `topic` is there. */
export interface Node {
  /** From the root to here, with slashes: what tells nodes apart. */
  readonly path: string;
  /** This level alone; may be empty. */
  readonly name: string;
  /** From 1. */
  readonly level: number;
  readonly topic?: TopicView;
}

/** All nodes, each before those below it. */
export function treeOf(topics: readonly TopicView[]): readonly Node[] {
  interface Open {
    readonly name: string;
    topic?: TopicView;
    readonly below: Map<string, Open>;
  }
  const root: Open = { name: '', below: new Map() };
  for (const topic of topics) {
    let at = root;
    for (const name of topic.topic.split('/')) {
      let next = at.below.get(name);
      if (!next) {
        next = { name, below: new Map() };
        at.below.set(name, next);
      }
      at = next;
    }
    at.topic = topic;
  }
  const nodes: Node[] = [];
  const walk = (open: Open, path: string | undefined, level: number) => {
    for (const one of [...open.below.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const here = path === undefined ? one.name : `${path}/${one.name}`;
      nodes.push({ path: here, name: one.name, level, ...(one.topic ? { topic: one.topic } : {}) });
      walk(one, here, level + 1);
    }
  };
  walk(root, undefined, 1);
  return nodes;
}

/** A Subscription drawn beside the tree: from the first to the last row that it covers. */
export interface Range {
  readonly who: string;
  readonly filter: string;
  readonly qos: 0 | 1 | 2;
  readonly kind: 'exact' | 'single' | 'rest';
  /** Rows of the tree. */
  readonly first: number;
  readonly last: number;
  /** Rows whose topics match. */
  readonly rows: ReadonlySet<number>;
}

/** One range for each Subscription that covers anything; `tried` says what a filter matches. */
export function rangesOf(
  nodes: readonly Node[],
  sessions: Sessions,
  tried: (filter: string) => TriedFilter,
): readonly Range[] {
  const row = new Map(nodes.map(({ path }, index) => [path, index]));
  const ranges: Range[] = [];
  for (const session of sessions.sessions) {
    for (const { filter, qos } of session.subscriptions) {
      const rows = tried(filter).topics.flatMap(([topic, fails]) => {
        const at = fails === null ? row.get(topic) : undefined;
        return at === undefined ? [] : [at];
      });
      if (rows.length === 0) continue;
      ranges.push({
        who: session.who ?? session.client_identifier,
        filter,
        qos,
        kind: filter.endsWith('#') ? 'rest' : /(^|\/)\+(\/|$)/.test(filter) ? 'single' : 'exact',
        first: Math.min(...rows),
        last: Math.max(...rows),
        rows: new Set(rows),
      });
    }
  }
  return ranges;
}
