/**
 * A task of its own, soon: what happens together in this task is answered together in the next, and the page can draw
 * and listen in between. `setTimeout` would wait four milliseconds, a microtask would let nobody else have a turn.
 */

declare const setImmediate: ((task: () => void) => unknown) | undefined;

/** Makes a way to run tasks soon, in their order. */
export function scheduler(): (task: () => void) => void {
  if (typeof setImmediate === 'function') return (task) => void setImmediate(task);
  const { port1, port2 } = new MessageChannel();
  const tasks: (() => void)[] = [];
  port1.onmessage = () => tasks.shift()?.();
  return (task) => {
    tasks.push(task);
    port2.postMessage(undefined);
  };
}
