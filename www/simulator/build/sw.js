// Keeps the files of one build and answers with them. A page always gets the files of one build and never a mixture: a
// new build has a cache of its own, which takes over when all files are there, and the old one goes then.
const CACHE = 'wasmqtt-simulator-__VERSION__';
const FILES = __FILES__;

addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES))
      .then(() => skipWaiting()),
  );
});

addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith('wasmqtt-simulator-') && name !== CACHE))
      .then((old) => Promise.all(old.map((name) => caches.delete(name))))
      .then(() => clients.claim()),
  );
});

addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin) return;
  const scope = new URL(registration.scope);
  if (!url.pathname.startsWith(scope.pathname)) return;
  const page = event.request.mode === 'navigate' && url.pathname === scope.pathname;
  // The page itself comes from the network where there is one, so that a new build is seen at once.
  event.respondWith(page ? fetch(event.request).catch(() => kept('./')) : kept(event.request));
});

async function kept(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request, { ignoreSearch: true })) ?? fetch(request);
}
