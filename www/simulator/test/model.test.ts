import { effect } from '@preact/signals';
import { beforeAll, describe, expect, test } from 'vitest';
import { firstMessage } from '../src/lessons/01-first-message';
import { describe as describeBytes, Model } from '../src/stage/model';
import type { StageCommand } from '../src/stage/types';
import { ManualFrames, realStage } from './stage';

beforeAll(realStage);

const PUBLISH: StageCommand = { do: 'publish', who: 'kitchen', topic: 'home/kitchen/temperature', payload: '21' };
const s = (seconds: number) => seconds * 1_000_000;

function begun(): { model: Model; frames: ManualFrames } {
  const { begin = 0, ...scenario } = firstMessage.scenario;
  const frames = new ManualFrames();
  return { model: new Model(JSON.stringify({ ...scenario, goal: firstMessage.check }), begin, frames), frames };
}

describe('time', () => {
  test('a scenario begins where the learner comes in, with its past', () => {
    const { model } = begun();
    expect(model.playhead.value.at).toBe(s(2));
    expect(model.entries.value.length).toBe(model.playhead.value.entries);
    expect(model.sessions.value.clients.map(({ who, state }) => [who, state])).toEqual([
      ['kitchen', 'connected'],
      ['phone', 'connected'],
    ]);
  });

  test('a command lets time run until nothing is on its way, and then time stands still', () => {
    const { model, frames } = begun();
    expect(model.command(PUBLISH)).toBe(true);
    expect(model.playing.value).toBe(true);
    const passed = frames.pass();
    // 600 ms of virtual time at half speed are 60 frames of 20 ms.
    expect(passed).toBeGreaterThanOrEqual(60);
    expect(passed).toBeLessThan(70);
    expect(model.playing.value).toBe(false);
    expect(model.goal()?.holds).toBe(true);
    expect(model.entries.value.some((entry) => 'told' in entry && entry.told.who === 'phone')).toBe(true);
  });

  test('what is to be read changes a few times a second while time runs, and is true when it stands still', () => {
    const { model, frames } = begun();
    const read: number[] = [];
    const stop = effect(() => {
      void model.calm.value;
      read.push(model.playhead.peek().at);
    });
    model.command(PUBLISH);
    const passed = frames.pass();
    stop();
    // A frame is 20 ms long.
    expect(read.length).toBeGreaterThan((passed * 20) / 200);
    expect(read.length).toBeLessThan((passed * 20) / 150 + 5);
    expect(read.at(-1)).toBe(model.playhead.value.at);
  });

  test('what is as it was stays the same object, so that nobody draws it again', () => {
    const { model, frames } = begun();
    const [kitchen, phone] = model.sessions.value.clients;
    const [first] = model.sessions.value.sessions;
    model.command({ do: 'cut', who: 'kitchen' });
    frames.pass();
    const { clients, sessions } = model.sessions.value;
    expect(clients[0]).not.toBe(kitchen);
    expect(clients[0]?.state).toBe('away');
    expect(clients[1]).toBe(phone);
    expect(first?.who).toBe('kitchen');
    expect(sessions.find(({ who }) => who === 'phone')).toBeDefined();
  });

  test('speed is a factor of the frames', () => {
    const { model, frames } = begun();
    model.speed.value = 10;
    model.play();
    frames.pass(51);
    expect(model.playhead.value.at).toBe(s(2) + s(10));
    model.pause();
    expect(frames.pass()).toBe(0);
  });

  test('steps go by moments, and back again to the same place', () => {
    const { model } = begun();
    const start = model.playhead.value;
    model.command(PUBLISH, true);
    expect(model.playing.value).toBe(false);
    const acted = model.playhead.value;
    expect(model.step()).toBe(true);
    const { entries } = model.playhead.value;
    expect(model.entries.value[entries - 1]?.at).toBe(s(2.3));
    expect(model.stepBack()).toBe(true);
    expect(model.playhead.value.entries).toBe(acted.entries);
    expect(model.stepBack()).toBe(true);
    expect(model.playhead.value.entries).toBeLessThanOrEqual(start.entries);
    expect(model.entries.value.length).toBe(model.playhead.value.of);
  });

  test('next delivery and next timer', () => {
    const { model } = begun();
    expect(model.nextDelivery()).toBe(false);
    model.command(PUBLISH, true);
    expect(model.nextDelivery()).toBe(true);
    expect(model.playhead.value.at).toBe(s(2.3));
    expect(model.nextDelivery()).toBe(true);
    expect(model.playhead.value.at).toBe(s(2.6));
    expect(model.nextDelivery()).toBe(false);
    expect(model.next.value.timers[0]?.what).toBe('ping');
    expect(model.nextTimer()).toBe(true);
    expect(model.playhead.value.at).toBe(s(61)); // the phone’s last packet left at 1 s
    const last = model.entries.value.at(-1);
    expect(last && 'sent' in last && last.sent.type).toBe('PINGREQ');
  });

  test('the beginning and the end', () => {
    const { model } = begun();
    model.toBeginning();
    expect(model.playhead.value).toMatchObject({ entries: 0, at: 0 });
    expect(model.sessions.value.sessions).toEqual([]);
    model.toEnd();
    expect(model.playhead.value.entries).toBe(model.playhead.value.of);
    expect(model.sessions.value.sessions.length).toBe(2);
  });
});

describe('history', () => {
  test('the same array grows; another one comes with a branch, and the old future stays', () => {
    const { model, frames } = begun();
    const first = model.entries.value;
    model.command(PUBLISH);
    frames.pass();
    expect(model.entries.value).toBe(first);
    const whole = first.length;
    model.seekTime(s(1.9));
    model.command({ ...PUBLISH, payload: '22' });
    frames.pass();
    expect(model.entries.value).not.toBe(first);
    expect(model.playhead.value.branch).toBe(1);
    expect(model.branches.value.map(({ branch, parent }) => [branch, parent])).toEqual([
      [0, null],
      [1, 0],
    ]);
    expect(model.entries.value).toEqual(model.logOf(1));
    expect(model.logOf(0).length).toBe(whole);
    const { left, right } = model.compare(0, 1);
    expect([left.told.length, right.told.length]).toEqual([1, 1]);
    model.switchTo(0);
    expect(model.entries.value).toEqual(model.logOf(0));
    expect(model.playhead.value.branch).toBe(0);
  });

  test('signals tell of every change, and of no other', () => {
    const { model, frames } = begun();
    let seen = 0;
    const stop = effect(() => {
      void model.sessions.value;
      seen += 1;
    });
    model.play();
    frames.pass(100); // a second in which nothing happens
    expect(seen).toBe(1);
    model.pause();
    model.command(PUBLISH, true);
    expect(seen).toBe(2);
    stop();
  });

  test('moved names the entries that a step passed', () => {
    const { model } = begun();
    model.command(PUBLISH, true);
    const { entries } = model.playhead.value;
    model.step();
    expect(model.moved.value).toEqual({ how: 'step', from: entries, to: model.playhead.value.entries });
  });
});

describe('what can’t be done', () => {
  test('is said, changes nothing, and is forgotten with the next thing that can', () => {
    const { model } = begun();
    const before = model.playhead.value;
    expect(model.command({ do: 'connect', who: 'phone' })).toBe(false);
    expect(model.refused.value?.kind).toBe('connected');
    expect(model.playhead.value).toEqual(before);
    expect(model.command({ do: 'subscribe', who: 'phone', filter: 'home/#/x' })).toBe(false);
    expect(model.refused.value?.kind).toBe('topic');
    expect(model.command({ do: 'heal', who: 'phone' })).toBe(false);
    expect(model.refused.value?.kind).toBe('not_half_open');
    model.command({ do: 'disconnect', who: 'phone' }, true);
    expect(model.refused.value).toBeNull();
    expect(model.command({ do: 'publish', who: 'phone', topic: 'a', payload: '' })).toBe(false);
    expect(model.refused.value?.kind).toBe('not_connected');
    expect(model.command({ do: 'ack', who: 'kitchen' })).toBe(false);
    expect(model.refused.value?.kind).toBe('nothing_to_acknowledge');
    expect(model.command({ do: 'thaw', who: 'kitchen' })).toBe(false);
    expect(model.refused.value?.kind).toBe('not_frozen');
    expect(model.command({ do: 'connect', who: 'fridge' })).toBe(false);
    expect(model.refused.value?.kind).toBe('no_client');
  });

  test('a question about an entry without an answer is null', () => {
    const { model } = begun();
    expect(model.why(0)).toBeNull();
    expect(model.packet(0)).toBeNull();
  });

  test('a scenario that is wrong says where', () => {
    expect(() => new Model('{"v":1,"clients":[{"id":"a","keep_alive_s":-1}]}')).toThrow('clients[0].keep_alive_s');
  });
});

test('bytes that nobody sent are described', () => {
  const [fields, error] = describeBytes(new Uint8Array([0xc0, 0x00]), 5, true);
  expect(error).toBeNull();
  expect(fields.length).toBeGreaterThan(0);
  const [, wrong] = describeBytes(new Uint8Array([0xc1, 0x00]), 5, true);
  expect(wrong).not.toBeNull();
});
