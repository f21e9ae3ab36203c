// The Ladder: a sequence diagram over virtual time. Every column is a client or the broker, time runs down, a packet is a
// slanted line from when it was sent to when it arrived. Two branches of a log stand side by side and scroll together.

import { useMemo, useState } from 'preact/hooks';
import { layoutOf } from './ladder/layout';
import { Pane } from './ladder/Pane';
import { Shape } from './marks';
import type { LadderProps, Words } from './props';

export default function Ladder(props: LadderProps) {
  const { compare, entries, playhead, t } = props;
  const [top, setTop] = useState<number | undefined>(undefined);
  const otherPlayhead = useMemo(() => {
    const last = compare?.entries.at(-1);
    return { ...playhead, entries: compare?.entries.length ?? 0, of: compare?.entries.length ?? 0, at: last?.at ?? 0 };
  }, [compare, playhead]);
  if (!compare) {
    return (
      <div class="view ladder">
        <Pane {...props} label={t.ladder.label} />
        <Legend t={t} />
      </div>
    );
  }
  const layout = layoutOf(entries);
  const partsAt = compare.common < layout.size ? layout.y(compare.common) - 6 : layout.height;
  const shared = { partsAt, onScroll: setTop, scrollTo: top, follow: false } as const;
  return (
    <div class="view ladder">
      <div class="ladder-pair">
        <figure class="ladder-side">
          <figcaption>{compare.label}</figcaption>
          <Pane {...props} {...shared} scrollTo={top ?? 0} label={compare.label} />
        </figure>
        <figure class="ladder-side">
          <figcaption>{compare.otherLabel}</figcaption>
          <Pane
            {...props}
            {...shared}
            scrollTo={top ?? 0}
            entries={compare.entries}
            playhead={otherPlayhead}
            other
            label={compare.otherLabel}
          />
        </figure>
      </div>
      <Legend t={t} />
    </div>
  );
}

/** How to read it. */
export function Legend({ t }: { t: Words }) {
  const { legendOf } = t.view;
  const rows = [
    ['qos-0', legendOf.qos0],
    ['qos-1', legendOf.qos1],
    ['qos-2', legendOf.qos2],
    ['ack', legendOf.ack],
  ] as const;
  return (
    <details class="legend">
      <summary>{t.view.legend}</summary>
      <ul>
        {rows.map(([kind, text]) => (
          <li key={kind}>
            <svg class={`arrow past ${kind}`} viewBox="-26 -12 52 24" width="52" height="24" aria-hidden="true">
              <path
                class="arrow-line"
                d="M-26 0H26"
                stroke-dasharray={kind === 'qos-0' ? '1.5 4' : kind === 'qos-1' ? '7 4' : undefined}
              />
              <Shape kind={kind} size={8} />
            </svg>
            {text}
          </li>
        ))}
        <li>
          <svg viewBox="-26 -12 52 24" width="52" height="24" aria-hidden="true">
            <rect class="session-bar" x="-22" y="-7" width="18" height="14" rx="3" />
            <rect class="session-bar away" x="4" y="-7" width="18" height="14" rx="3" />
          </svg>
          {legendOf.session} · {legendOf.sessionAway}
        </li>
        <li>
          <svg viewBox="-26 -12 52 24" width="52" height="24" aria-hidden="true">
            <path class="told" d="M4 -5l-8 5l8 5Z" />
          </svg>
          {legendOf.told}
        </li>
        <li>
          <svg viewBox="-26 -12 52 24" width="52" height="24" aria-hidden="true">
            <path class="bracket qos-1" d="M4 -9h-5V9h5" />
          </svg>
          {legendOf.exchange}
        </li>
        <li>
          <svg viewBox="-26 -12 52 24" width="52" height="24" aria-hidden="true">
            <path class="sign-line lost" d="M-5 -5L5 5M5 -5L-5 5" />
          </svg>
          {legendOf.lost}
        </li>
      </ul>
    </details>
  );
}
