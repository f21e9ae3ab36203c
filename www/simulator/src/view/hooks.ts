// What several views need of the browser: the size of an element, whether motion is wished, a window over many rows,
// and the keyboard within a group of which one member is in the tab order.

import type { RefObject, VNode } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size of an element's content, whole pixels; `initial` until it is known. */
export function useSize(ref: RefObject<HTMLElement | null>, initial: Size): Size {
  const [size, setSize] = useState(initial);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const read = () => {
      const width = Math.floor(element.clientWidth);
      const height = Math.floor(element.clientHeight);
      if (width === 0) return;
      setSize((old) => (old.width === width && old.height === height ? old : { width, height }));
    };
    read();
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return size;
}

/** Whether things may glide; `wish` decides where it is given, else the system. */
export function useMotion(wish: boolean | undefined): boolean {
  const query = '(prefers-reduced-motion: reduce)';
  const [reduced, setReduced] = useState(() => typeof matchMedia === 'function' && matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const read = () => setReduced(media.matches);
    media.addEventListener('change', read);
    return () => media.removeEventListener('change', read);
  }, []);
  return wish ?? !reduced;
}

/** A reader's own size of type makes rows higher too: pixels of one rem. */
export function rem(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
}

/** What is in sight of something long, in whole steps of `step` pixels with one step more on each side. */
export function useWindow(
  ref: RefObject<HTMLElement | null>,
  step: number,
): { readonly from: number; readonly to: number; readonly read: () => void } {
  const [seen, setSeen] = useState({ from: 0, to: step * 4 });
  const read = useCallback(() => {
    const element = ref.current;
    if (!element) return;
    const from = Math.max(0, (Math.floor(element.scrollTop / step) - 1) * step);
    const to = (Math.ceil((element.scrollTop + element.clientHeight) / step) + 1) * step;
    setSeen((old) => (old.from === from && old.to === to ? old : { from, to }));
  }, [ref, step]);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    read();
    element.addEventListener('scroll', read, { passive: true });
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => {
      element.removeEventListener('scroll', read);
      observer.disconnect();
    };
  }, [ref, read]);
  return { ...seen, read };
}

/** Focus on the member with this key once it is drawn: it may have been outside of the window until now. */
export function useFocusLater(ref: RefObject<Element | null>): (key: string | number) => void {
  const wanted = useRef<string | null>(null);
  const [, again] = useState(0);
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    const found = ref.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(wanted.current)}"]`);
    if (!found) return;
    wanted.current = null;
    found.focus({ preventScroll: true });
  });
  return useCallback((key: string | number) => {
    wanted.current = String(key);
    again((count) => count + 1);
  }, []);
}

/**
 * What was drawn before, by name: a node is made anew only when something that it is made from is another. Two hundred
 * clients sixty times a second: one that is as it was is not looked at again.
 */
export function useKept(): (name: string, from: readonly unknown[], make: () => VNode) => VNode {
  const kept = useRef(new Map<string, { readonly from: readonly unknown[]; readonly node: VNode }>());
  return useCallback((name, from, make) => {
    const known = kept.current.get(name);
    if (known?.from.every((one, index) => one === from[index])) return known.node;
    const node = make();
    kept.current.set(name, { from, node });
    return node;
  }, []);
}

/** What an arrow key, Home, End or a page key does in a list of `count`: the new place, or none. */
export function stepOf(code: string, at: number, count: number, page = 10): number | undefined {
  const to: Record<string, number> = {
    ArrowUp: at - 1,
    ArrowDown: at + 1,
    PageUp: at - page,
    PageDown: at + page,
    Home: 0,
    End: count - 1,
  };
  const wanted = to[code];
  if (wanted === undefined || count === 0) return undefined;
  return Math.min(count - 1, Math.max(0, wanted));
}
