// A refusal in the reader's language.

import type { Refused } from '../stage/model';
import type { Person, Words } from '../view/props';
import { nameOf } from '../view/words';

export function refusalWords({ command, kind, message }: Refused, people: readonly Person[], t: Words): string {
  const who = 'who' in command ? nameOf(command.who, people) : t.broker;
  switch (kind) {
    case 'not_connected':
    case 'connected':
    case 'topic':
    case 'no_identifier':
      return t.log.refused[kind](who);
    case 'frozen':
    case 'not_frozen':
    case 'nothing_to_acknowledge':
    case 'not_half_open':
    case 'no_cut_when':
    case 'no_storage':
    case 'only_v5':
    case 'is_there':
    case 'no_client':
      return t.app.refused[kind](who);
    case 'malformed':
      return t.app.refused.malformed(message);
  }
}
