// Why the Stage doesn't obey a command. The Stage says it in English; this knows its sentences, so that the page can say
// it in the reader's language and lessons can ask for a kind of refusal.

/** The kinds that lessons and catalogues name. */
export type RefusalKind =
  | 'not_connected'
  | 'connected'
  | 'frozen'
  | 'not_frozen'
  | 'nothing_to_acknowledge'
  | 'not_half_open'
  | 'no_cut_when'
  | 'no_storage'
  | 'only_v5'
  | 'no_identifier'
  | 'is_there'
  | 'no_client'
  | 'topic'
  | 'malformed';

const SENTENCES: readonly (readonly [RegExp, RefusalKind])[] = [
  [/ is connected already; /, 'connected'],
  [/ is not connected; /, 'not_connected'],
  [/ is frozen; /, 'frozen'],
  [/ is not frozen$/, 'not_frozen'],
  [/ waits for its acknowledgement$| acknowledges by itself /, 'nothing_to_acknowledge'],
  [/ is not half-open$/, 'not_half_open'],
  [/^nothing waits to cut /, 'no_cut_when'],
  [/ stores nothing /, 'no_storage'],
  [/: only MQTT 5\.0 has it/, 'only_v5'],
  [/ waits for 65,535 answers already$/, 'no_identifier'],
  [/ is no client; /, 'no_client'],
  [/: there is a client ".*" already$/, 'is_there'],
  [/^(?:topic|filter|will\.topic): .*\[[^\]]+\]$/, 'topic'],
];

/** The kind of an error that `Stage.command` threw. */
export function refusalKind(message: string): RefusalKind {
  return SENTENCES.find(([sentence]) => sentence.test(message))?.[1] ?? 'malformed';
}
