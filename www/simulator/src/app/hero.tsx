// The picture on the start page: what the whole page is about, in one message. It stands still for those who want that.

import { useShell } from './shell';

export function Hero() {
  const { t } = useShell();
  return (
    <svg class="hero" viewBox="0 0 520 300" role="img" aria-label={t.app.heroLabel}>
      <g class="hero-links" fill="none">
        <path d="M104 206 C 150 206, 176 148, 222 148" />
        <path d="M298 148 C 344 148, 370 96, 416 96" />
        <path d="M298 160 C 344 164, 370 226, 416 226" class="hero-link-idle" />
      </g>
      <g class="hero-node">
        <rect x="28" y="168" width="76" height="76" rx="20" />
        <path d="M66 184v30m-8 6a8 8 0 1 0 16 0q0-4-3-6v-28a5 5 0 0 0-10 0v28q-3 2-3 6" class="hero-sign" />
      </g>
      <g class="hero-broker">
        <rect x="222" y="110" width="76" height="76" rx="20" />
        <path d="M242 136h36m-36 12h36m-36 12h36" class="hero-sign" />
      </g>
      <g class="hero-node">
        <rect x="416" y="58" width="76" height="76" rx="20" />
        <path
          d="M442 76h24a4 4 0 0 1 4 4v32a4 4 0 0 1-4 4h-24a4 4 0 0 1-4-4V80a4 4 0 0 1 4-4m8 34h8"
          class="hero-sign"
        />
      </g>
      <g class="hero-node">
        <rect x="416" y="188" width="76" height="76" rx="20" />
        <path d="M434 242v-12m12 12v-24m12 24v-16m12 16v-30" class="hero-sign" />
      </g>
      <g class="hero-packet">
        <rect x="-24" y="-15" width="48" height="30" rx="10" />
        <text y="5" text-anchor="middle">
          21
        </text>
      </g>
    </svg>
  );
}
