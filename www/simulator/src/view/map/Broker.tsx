// The broker in the middle of the Map, with the topics that messages were published to: one that was just used is lit.

import type { Entry, Micros, TopicView } from '../../stage/types';
import { IconSvg } from '../marks';
import type { MapProps } from '../props';
import type { Member } from './Client';
import type { Spot } from './place';

/** How long a topic stays lit, in microseconds of virtual time. */
const LIT_MICROS = 900_000;

export function isLit(topic: TopicView, entries: readonly Entry[], at: Micros): boolean {
  const last = topic.last === null ? undefined : entries[topic.last];
  return last !== undefined && at - last.at <= LIT_MICROS && at >= last.at;
}

/** The topics that are shown: those used last, in the order of their names. */
function shownTopics(props: MapProps, most: number): readonly TopicView[] {
  const recent = [...props.topics].sort((a, b) => (b.last ?? -1) - (a.last ?? -1)).slice(0, most);
  return recent.sort((a, b) => (a.topic < b.topic ? -1 : 1));
}

export function Broker(props: MapProps & { spot: Spot; half: Spot; most: number; chosen: boolean; member: Member }) {
  const { spot, half, most, chosen, member, t, topics, sessions, entries, playhead, onSelect, selection } = props;
  const shown = shownTopics(props, most);
  const chosenTopic = selection && 'topic' in selection ? selection.topic : undefined;
  return (
    <div class="map-broker" style={{ left: `${spot.x}px`, top: `${spot.y}px`, width: `${half.x * 2}px` }}>
      <button
        {...member}
        type="button"
        class="map-broker-button"
        aria-label={t.view.map.broker(sessions.sessions.length, topics.length)}
        aria-pressed={chosen}
        onClick={() => onSelect({ broker: true })}
      >
        <IconSvg icon="broker" size={22} />
        <span>{t.broker}</span>
      </button>
      {shown.length > 0 && (
        <ul class="map-topics" aria-label={t.view.map.topics}>
          {shown.map((topic) => {
            const lit = isLit(topic, entries, playhead.at);
            return (
              <li key={topic.topic}>
                <button
                  type="button"
                  class={`map-topic${lit ? ' lit' : ''}`}
                  aria-pressed={chosenTopic === topic.topic}
                  title={topic.topic}
                  onClick={() => onSelect({ topic: topic.topic })}
                >
                  <span class="map-topic-name">{topic.topic}</span>
                  {topic.retained && (
                    <span class="map-topic-retained" title={t.topics.retained}>
                      <svg viewBox="-6 -7 12 14" width="10" height="12" aria-hidden="true" class="sign retained">
                        <path d="M-3 -5H3L2 -1L4 1.5H-4L-2 -1ZM-.7 1.5h1.4V6h-1.4Z" />
                      </svg>
                      {topic.retained.payload}
                    </span>
                  )}
                  {lit && <span class="visually-hidden">{t.view.topics.lit}</span>}
                </button>
              </li>
            );
          })}
          {topics.length > shown.length && <li class="map-more">{t.view.map.more(topics.length - shown.length)}</li>}
        </ul>
      )}
    </div>
  );
}
