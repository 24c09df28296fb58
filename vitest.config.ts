import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    // Starts nothing: stops the container engine if a test started one.
    globalSetup: ["test/support/podman.ts"],
    reporters: ["default", "./test/support/skip-reporter.ts"],
    // Two cores: more workers than that only make every test slower.
    maxWorkers: 2,
  },
});
