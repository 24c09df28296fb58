/**
 * The order of the test files: those that start control planes or containers come first, for they mostly wait, and the many quick ones
 * fill the other worker meanwhile. (By itself vitest knows durations only where it ran before, which a fresh clone has not.)
 */
import { BaseSequencer, type TestSpecification } from "vitest/node";

const slow = /\/test\/(?:e2e|local\/engine\/docker)\//u;
/** Minutes rather than seconds: these must not be the last to start. */
const slowest =
  /\/test\/(?:e2e\/(?:commands\/rollouts|containers|helm|kubectl-versions|manifests|trouble\/pods|workloads)|local\/engine\/docker\/runtime)\.test\.ts$/u;

const rank = ({ moduleId }: TestSpecification): number => (slowest.test(moduleId) ? 0 : slow.test(moduleId) ? 1 : 2);

export default class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}
