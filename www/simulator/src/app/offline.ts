// Whether the page can be opened again without a network: the service worker has every file of this build.

import { signal } from '@preact/signals';

export const readyOffline = signal(false);

/** Registers the worker that keeps the files, and waits until it has them all. */
export async function keepForLater(): Promise<void> {
  try {
    await navigator.serviceWorker.register('./sw.js');
    // It becomes active only when everything is stored.
    await navigator.serviceWorker.ready;
    readyOffline.value = true;
  } catch {
    // A frame without an origin of its own, an old browser, a page that is not secure: then it works online only.
  }
}
