// The page's logic that needs no page: addresses, keys, forms, settings.

import { describe, expect, test } from 'vitest';
import { deedOf, type KeyLike } from '../src/app/keys';
import { href, routeOf } from '../src/app/router';
import {
  addOf,
  connectDraft,
  connectOf,
  EMPTY_PUBLISH,
  EMPTY_SUBSCRIBE,
  messageOf,
  rawOf,
  subscribeOf,
} from '../src/app/sandbox/drafts';
import { browserLanguage } from '../src/app/settings';

describe('addresses', () => {
  test.each([
    ['', { at: 'start' }],
    ['#/', { at: 'start' }],
    ['#/learn', { at: 'learn' }],
    ['#/lesson/first-message', { at: 'lesson', id: 'first-message' }],
    ['#/lesson/1', { at: 'lesson', id: '1' }],
    ['#/lesson/%EA%B0%80', { at: 'lesson', id: '가' }],
    ['#/lesson/%', { at: 'lesson', id: '%' }],
    ['#/lesson/', { at: 'unknown', fragment: '/lesson/' }],
    ['#/sandbox', { at: 'sandbox', preset: 'kitchen' }],
    ['#/sandbox/home', { at: 'sandbox', preset: 'home' }],
    ['#/glossary', { at: 'glossary', term: null }],
    ['#/glossary/broker', { at: 'glossary', term: 'broker' }],
    ['#s=1.abc', { at: 'link', link: '1.abc' }],
    ['#s=', { at: 'link', link: '' }],
    ['#hello', { at: 'unknown', fragment: 'hello' }],
    ['#/nowhere', { at: 'unknown', fragment: '/nowhere' }],
  ])('%s', (fragment, route) => {
    expect(routeOf(fragment)).toEqual(route);
  });

  test('what the page links to is what it reads', () => {
    expect(routeOf(href.lesson('qos-1'))).toEqual({ at: 'lesson', id: 'qos-1' });
    expect(routeOf(href.sandbox('restroom'))).toEqual({ at: 'sandbox', preset: 'restroom' });
    expect(routeOf(href.glossary('will'))).toEqual({ at: 'glossary', term: 'will' });
    expect(routeOf(href.link('1.x'))).toEqual({ at: 'link', link: '1.x' });
  });
});

describe('keys', () => {
  const key = (some: Partial<KeyLike>): KeyLike => ({
    code: '',
    key: '',
    shiftKey: false,
    ctrlKey: false,
    altKey: false,
    metaKey: false,
    isComposing: false,
    ...some,
  });

  test('are read by their place, with the Hangul input on too', () => {
    expect(deedOf(key({ code: 'Space', key: ' ' }))).toBe('toggle');
    expect(deedOf(key({ code: 'Period', key: 'ㅋ' }))).toBe('delivery');
    expect(deedOf(key({ code: 'Digit3', key: '3' }))).toBe('tab1');
    expect(deedOf(key({ code: 'Slash', key: '?', shiftKey: true }))).toBe('help');
    expect(deedOf(key({ code: 'KeyA', key: 'a' }))).toBeNull();
  });

  test('are left alone while a syllable is put together, and with Ctrl, Alt or Meta', () => {
    expect(deedOf(key({ code: 'Space', key: 'Process', isComposing: true }))).toBeNull();
    expect(deedOf(key({ code: 'ArrowLeft', key: 'ArrowLeft', altKey: true }))).toBeNull();
    expect(deedOf(key({ code: 'Digit1', key: '1', metaKey: true }))).toBeNull();
    expect(deedOf(key({ code: 'Home', key: 'Home', ctrlKey: true }))).toBeNull();
  });
});

describe('forms', () => {
  test('a PUBLISH of 5.0 with all its fields, and the same for 3.1.1', () => {
    const draft = {
      ...EMPTY_PUBLISH,
      topic: 'a/b',
      payload: '21',
      qos: '1' as const,
      retain: true,
      expiry: '60',
      contentType: 'text/plain',
      responseTopic: 'a/answer',
      correlation: '7',
      format: 'text' as const,
      user: [['k', 'v'] as const, ['', ''] as const],
    };
    expect(messageOf(draft, true)).toEqual({
      value: {
        topic: 'a/b',
        payload: '21',
        qos: 1,
        retain: true,
        expiry_s: 60,
        content_type: 'text/plain',
        response_topic: 'a/answer',
        correlation: '7',
        payload_is_text: true,
        user: [['k', 'v']],
      },
    });
    expect(messageOf(draft, false)).toEqual({ value: { topic: 'a/b', payload: '21', qos: 1, retain: true } });
  });

  test('says of each field what is wrong with it', () => {
    expect(messageOf({ ...EMPTY_PUBLISH, topic: '' }, true)).toEqual({ problems: { topic: { is: 'required' } } });
    expect(messageOf({ ...EMPTY_PUBLISH, topic: 'a/+' }, true)).toEqual({ problems: { topic: { is: 'wildcard' } } });
    expect(messageOf({ ...EMPTY_PUBLISH, topic: 'ㄱ'.repeat(21_846) }, false)).toEqual({
      problems: { topic: { is: 'tooLong' } },
    });
    expect(messageOf({ ...EMPTY_PUBLISH, topic: 'a', expiry: '1.5' }, true)).toEqual({
      problems: { expiry: { is: 'number', min: 0, max: 4_294_967_295 } },
    });
    expect(subscribeOf('a', { ...EMPTY_SUBSCRIBE, filter: 'a', identifier: '0' }, true)).toEqual({
      problems: { identifier: { is: 'number', min: 1, max: 268_435_455 } },
    });
    expect(rawOf('a', 'c0 0')).toEqual({ problems: { hex: { is: 'hex' } } });
    expect(rawOf('a', 'C0 00')).toEqual({ value: { do: 'raw', who: 'a', hex: 'c000' } });
  });

  test('a CONNECT keeps what the client said before, and takes a Will back', () => {
    const draft = connectDraft('kitchen', {
      keep_alive_s: 10,
      will: { topic: 't', payload: 'gone', qos: 1, delay_s: 5 },
    });
    expect(connectOf(draft)).toMatchObject({
      value: {
        version: '5.0',
        client_identifier: 'kitchen',
        keep_alive_s: 10,
        will: { topic: 't', payload: 'gone', qos: 1, delay_s: 5 },
      },
    });
    expect(connectOf({ ...draft, hasWill: false })).toMatchObject({ value: { will: null } });
    const old = connectOf({ ...draft, version: '3.1.1' });
    expect('value' in old && Object.keys(old.value)).not.toContain('session_expiry_s');
    expect(connectOf({ ...draft, keepAlive: '70000', will: { ...draft.will, topic: '#' } })).toEqual({
      problems: { keepAlive: { is: 'number', min: 0, max: 65_535 }, 'will.topic': { is: 'wildcard' } },
    });
  });

  test('a client has a name of its own', () => {
    expect(addOf({ name: ' 냉장고 ', icon: 'server' }, ['phone'])).toMatchObject({
      value: { id: '냉장고', name: '냉장고' },
    });
    expect(addOf({ name: '', icon: 'server' }, [])).toEqual({ problems: { name: { is: 'required' } } });
    expect(addOf({ name: 'phone', icon: 'server' }, ['phone'])).toEqual({
      problems: { name: { is: 'taken', name: 'phone' } },
    });
    expect(addOf({ name: 'broker', icon: 'server' }, [])).toEqual({
      problems: { name: { is: 'taken', name: 'broker' } },
    });
  });
});

test('the language is the first that the browser asks for', () => {
  expect(browserLanguage(['ko-KR', 'en'])).toBe('ko');
  expect(browserLanguage(['de', 'en-GB', 'ko'])).toBe('en');
  expect(browserLanguage(['de'])).toBe('en');
  expect(browserLanguage([])).toBe('en');
});
