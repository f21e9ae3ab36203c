/**
 * All events of a broker as one stream, for people who write them down or draw them. The broker does not wait for them:
 * what they don't read in time is left out, and they are told how much.
 */
import { type BrokerEvents, EVENT_NAMES } from './events.js';

/** Events that wait in a trace that nobody reads. */
const EVENTS_MAX = 10_000;

/** Any event, with the name under which `on` tells it. */
export type TraceEvent =
  | { [N in keyof BrokerEvents]: { name: N; event: BrokerEvents[N] } }[keyof BrokerEvents]
  /** Events that were left out because nobody read the trace. */
  | { name: 'left-out'; event: { count: number } };

/** What has events. */
interface Source {
  on<N extends keyof BrokerEvents>(name: N, handler: (event: BrokerEvents[N]) => void): () => void;
}

/** All events of a broker; `ending` keeps what ends the stream with it, and gives what forgets that. */
export function traceOf(source: Source, ending: (end: () => void) => () => void): ReadableStream<TraceEvent> {
  let offs: (() => void)[] = [];
  const cancel = () => {
    for (const off of offs.splice(0)) off();
  };
  const start = (controller: ReadableStreamDefaultController<TraceEvent>) => {
    let left = 0;
    const put = (traced: TraceEvent) => {
      const room = controller.desiredSize ?? 0;
      if (room <= (left > 0 ? 1 : 0)) {
        left += 1;
        return;
      }
      if (left > 0) controller.enqueue({ name: 'left-out', event: { count: left } });
      left = 0;
      controller.enqueue(traced);
    };
    offs = EVENT_NAMES.map((name) => source.on(name, (event) => put({ name, event } as TraceEvent)));
    offs.push(ending(() => controller.close()));
  };
  return new ReadableStream({ start, cancel }, { highWaterMark: EVENTS_MAX });
}
