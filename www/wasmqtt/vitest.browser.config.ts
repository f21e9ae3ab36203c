import { defineConfig } from 'vitest/config';

// One file at a time: each has a Chromium with a dozen tabs, and two of them would measure each other's load.
export default defineConfig({
  test: { include: ['test/browser/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false },
});
