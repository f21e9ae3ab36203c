// Which packets are on their way at a time, and how far each is. Time glides from one moment to the next when a person
// steps, so that the eye sees where a packet went; while the Stage plays, it is the Stage's own time.

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Micros } from '../../stage/types';
import type { Flight, Story } from '../story';

/** How much of its way a packet has made at a time, 0 to 1; on a half-open link it waits in the middle. */
export function progressOf(flight: Flight, at: Micros): number {
  const passed = at - flight.at;
  const { arrives_at } = flight.sent;
  if (arrives_at === null) {
    const half = Math.min(0.5, passed / 600_000);
    // Healed: what was held goes on, and is there when the log says so.
    const left = flight.endAt - at;
    return flight.fate === 'delivered' && left < 300_000 ? Math.max(half, 1 - left / 600_000) : half;
  }
  const lost = flight.fate === 'lost';
  const end = flight.fate === 'delivered' ? flight.endAt : lost ? flight.endAt : arrives_at;
  const part = end <= flight.at ? 1 : Math.min(1, Math.max(0, passed / (end - flight.at)));
  return lost ? part * flight.howFar : part;
}

/** Everything that is on its way, of what was sent before entry `before`. */
export function flyingAt(story: Story, at: Micros, before: number, lastSeen: Micros): Flight[] {
  const found: Flight[] = [];
  // Almost all flights are short. Those that began long ago and still are under way have no end yet, or a late one.
  for (const flight of story.longOrOpen()) {
    if (flight.n < before && flight.at <= at && flight.endAt > at) found.push(flight);
  }
  for (let index = story.flightBefore(before); index >= 0; index--) {
    const flight = story.flights[index];
    if (!flight || flight.at < Math.min(at, lastSeen) - story.longMicros) break;
    if (flight.at <= at && flight.endAt > at && !story.isLong(flight)) found.push(flight);
  }
  return found.sort((a, b) => a.n - b.n);
}

const GLIDE_MS = 450;

/** The time that is shown: `at`, or on the way to it. */
export function useGlide(at: Micros, glides: boolean): Micros {
  const [shown, setShown] = useState(at);
  const now = useRef(at);
  const frame = useRef(0);
  useEffect(() => {
    cancelAnimationFrame(frame.current);
    const from = now.current;
    if (!glides || at <= from) {
      now.current = at;
      setShown(at);
      return;
    }
    const begin = performance.now();
    const step = () => {
      const part = Math.min(1, (performance.now() - begin) / GLIDE_MS);
      // Slows down at both ends, so that the eye can follow.
      now.current = part === 1 ? at : from + (at - from) * (part * part * (3 - 2 * part));
      setShown(now.current);
      if (part < 1) frame.current = requestAnimationFrame(step);
    };
    frame.current = requestAnimationFrame(step);
    return () => cancelAnimationFrame(frame.current);
  }, [at, glides]);
  return glides ? shown : at;
}
