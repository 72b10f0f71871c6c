import { defineConfig } from "vitest/config";

// The gate runs on two cores; sandboxes are worker threads of their own, so two files at a time fill the machine.
export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "tests/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
