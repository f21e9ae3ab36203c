// The lessons in their order. Ids and numbers never change: links and saved progress name them.

import { firstMessage } from './01-first-message';
import { nobodyKnows } from './02-nobody-knows';
import { topicsArePaths } from './03-topics-are-paths';
import { oneLevel } from './04-one-level';
import { theRest } from './05-the-rest';
import { dollar } from './06-dollar';
import { qos0 } from './07-qos-0';
import { qos1 } from './08-qos-1';
import { qos2 } from './09-qos-2';
import { noPacketLoss } from './10-no-packet-loss';
import { twoHops } from './11-two-hops';
import { retained } from './12-retained';
import { lastWill } from './13-last-will';
import { keepAlive } from './14-keep-alive';
import { presence } from './15-presence';
import { sessions } from './16-sessions';
import { oneId } from './17-one-id';
import { inFlight } from './18-in-flight';
import { restart } from './19-restart';
import type { Lesson } from './lesson';

export type { Action, Inspector, Lesson, Question, Section, Trap } from './lesson';

export const LESSONS: readonly Lesson[] = [
  firstMessage,
  nobodyKnows,
  topicsArePaths,
  oneLevel,
  theRest,
  dollar,
  qos0,
  qos1,
  qos2,
  noPacketLoss,
  twoHops,
  retained,
  lastWill,
  keepAlive,
  presence,
  sessions,
  oneId,
  inFlight,
  restart,
];
