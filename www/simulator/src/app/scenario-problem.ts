// What is wrong with a link or a scenario, in the reader's language. The Stage names the place and what it wants there;
// its few kinds of sentences are known here.

import { decodeLink, LinkError, SCENARIO_BYTES_MAX } from '../stage/permalink';
import type { Words } from '../view/props';

export { decodeLink as readLink };

const join = (where: string, name: string): string => (where === '' ? name : `${where}.${name}`);

/** One sentence about a message of the Stage. */
export function mistakeWords(message: string, t: Words): string {
  const json = /^this is no JSON: .* at line (\d+) column (\d+)$/s.exec(message);
  if (json) return t.errors.notJson(Number(json[1]), Number(json[2]));
  const [, where = '', rest = message] = /^([A-Za-z_][\w.[\]]*): (.*)$/s.exec(message) ?? [];
  const missing = /^"([^"]*)" is missing$/.exec(rest);
  if (missing) return t.errors.missing({ where: join(where, missing[1] ?? '') });
  const unknown = /^"([^"]*)" is not known here(?:; allowed are (.*))?$/s.exec(rest);
  if (unknown) {
    const sentence = t.errors.unknownField({ where: join(where, unknown[1] ?? '') });
    return unknown[2] ? `${sentence} ${t.app.allowedFields(unknown[2])}` : sentence;
  }
  const twice = /^"(.*)" is there twice$/s.exec(rest);
  if (twice) return t.errors.twice({ where, found: twice[1] ?? '' });
  const client = /^"(.*)" is no client; there (?:are .*|is none)$/s.exec(rest);
  if (client) return t.errors.noClient({ where, found: client[1] ?? '' });
  const topic = /^"(.*)": (.*) \[[^\]]*\]$/s.exec(rest);
  if (topic) return t.errors.wrong({ where, found: topic[1] ?? '', allowed: topic[2] ?? '' });
  const wrong = /^(.*?) is not (.*)$/s.exec(rest);
  if (wrong) return t.errors.wrong({ where, found: wrong[1] ?? '', allowed: t.app.wanted(wrong[2] ?? '') });
  return t.app.refused.malformed(message);
}

export function scenarioProblem(error: unknown, t: Words): string {
  if (error instanceof LinkError) {
    const { fault } = error;
    switch (fault.kind) {
      case 'not_a_link':
        return t.errors.notALink;
      case 'version':
        return t.errors.version(fault.found, fault.known);
      case 'cut_off':
        return t.errors.cutOff(fault.position);
      case 'too_large':
        return t.errors.tooLarge(`${SCENARIO_BYTES_MAX >> 10} KiB`);
    }
  }
  return mistakeWords(error instanceof Error ? error.message : String(error), t);
}
