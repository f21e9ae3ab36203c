// The page's first script: the Stage's WebAssembly starts on its way here before anything is drawn.

import { define } from './element';
import { loadStage } from './stage/door';

if (typeof WebAssembly !== 'undefined') void loadStage().catch(() => undefined);
define();

async function keepForLater(): Promise<void> {
  try {
    await navigator.serviceWorker.register('./sw.js');
  } catch {
    // A frame without an origin of its own, an old browser, a page that is not secure: then it works online only.
  }
}

// After the page is there: what is kept for later must not delay what is wanted now.
if (import.meta.env.PROD) addEventListener('load', () => void keepForLater());
