import { defineConfig } from "vitest/config";
import SlowFirst from "./test/support/slow-first.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    // Starts nothing: stops the container engine if a test started one.
    globalSetup: ["test/support/podman.ts"],
    sequence: { sequencer: SlowFirst },
    reporters: ["default", "./test/support/skip-reporter.ts"],
    // Two cores: more workers than that only make every test slower.
    maxWorkers: 2,
  },
});
