import { describe, expect, test } from 'vitest';
import { josa } from '../src/i18n/josa';

describe('josa', () => {
  test('Hangul: the final consonant decides', () => {
    expect(josa('토픽', '을/를')).toBe('토픽을');
    expect(josa('메시지', '을/를')).toBe('메시지를');
    expect(josa('휴대폰', '이/가')).toBe('휴대폰이');
    expect(josa('주방 센서', '이/가')).toBe('주방 센서가');
    expect(josa('브로커', '은/는')).toBe('브로커는');
    expect(josa('현황판', '과/와')).toBe('현황판과');
    expect(josa('세션', '이에요/예요')).toBe('세션이에요');
    expect(josa('브로커', '이에요/예요')).toBe('브로커예요');
    expect(josa('힣', '을/를')).toBe('힣을');
    expect(josa('가', '을/를')).toBe('가를');
  });

  test('으로/로: a final ㄹ counts as none', () => {
    expect(josa('휴대폰', '으로/로')).toBe('휴대폰으로');
    expect(josa('브로커', '으로/로')).toBe('브로커로');
    expect(josa('메일', '으로/로')).toBe('메일로');
    expect(josa('메일', '을/를')).toBe('메일을');
    expect(josa(1, '으로/로')).toBe('1로');
    expect(josa(3, '으로/로')).toBe('3으로');
    expect(josa('PUBREL', '으로/로')).toBe('PUBREL로');
  });

  test.each([
    [0, '0을'],
    [1, '1을'],
    [2, '2를'],
    [3, '3을'],
    [4, '4를'],
    [5, '5를'],
    [6, '6을'],
    [7, '7을'],
    [8, '8을'],
    [9, '9를'],
    [10, '10을'],
    [100, '100을'],
    [25.5, '25.5를'],
  ])('digits as they are read: %s', (number, said) => {
    expect(josa(number, '을/를')).toBe(said);
  });

  test.each([
    ['PUBLISH', 'PUBLISH를'],
    ['PUBACK', 'PUBACK을'],
    ['PUBREC', 'PUBREC을'],
    ['PUBREL', 'PUBREL을'],
    ['PUBCOMP', 'PUBCOMP를'],
    ['CONNECT', 'CONNECT를'],
    ['SUBACK', 'SUBACK을'],
    ['PINGREQ', 'PINGREQ를'],
    ['DISCONNECT', 'DISCONNECT를'],
    ['Will', 'Will을'],
  ])('packets by name: %s', (word, said) => {
    expect(josa(word, '을/를')).toBe(said);
  });

  test.each([
    ['MQTT', 'MQTT를'],
    ['TCP', 'TCP를'],
    ['URL', 'URL을'],
    ['XML', 'XML을'],
    ['ID', 'ID를'],
  ])('capitals letter by letter: %s', (word, said) => {
    expect(josa(word, '을/를')).toBe(said);
  });

  test.each([
    ['phone', 'phone을'],
    ['kitchen', 'kitchen을'],
    ['home/kitchen/temperature', 'home/kitchen/temperature를'],
    ['restroom', 'restroom을'],
    ['topic', 'topic을'],
    ['map', 'map을'],
    ['file', 'file을'],
    ['table', 'table을'],
    ['client', 'client를'],
    ['device', 'device를'],
    ['sensor', 'sensor를'],
    ['clock', 'clock을'],
    ['status', 'status를'],
    ['humidity', 'humidity를'],
  ])('other Latin words as they are borrowed: %s', (word, said) => {
    expect(josa(word, '을/를')).toBe(said);
  });

  test('signs by their names', () => {
    expect(josa('home/#', '은/는')).toBe('home/#은');
    expect(josa('home/+', '은/는')).toBe('home/+는');
    expect(josa('21℃', '이/가')).toBe('21℃가');
  });

  test('what is not spoken is skipped', () => {
    expect(josa('`home/kitchen/temperature`', '을/를')).toBe('`home/kitchen/temperature`를');
    expect(josa('“21”', '을/를')).toBe('“21”을');
    expect(josa('토픽(topic)', '을/를')).toBe('토픽(topic)을');
    expect(josa('구독(subscribe)', '을/를')).toBe('구독(subscribe)을');
    expect(josa('유언(Will)', '으로/로')).toBe('유언(Will)으로');
  });

  test('what nobody can know gets both forms', () => {
    expect(josa('温度', '을/를')).toBe('温度을(를)');
    expect(josa('', '이/가')).toBe('이(가)');
    expect(josa('温度', '으로/로')).toBe('温度(으)로');
  });
});
