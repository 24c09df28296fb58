/**
 * The Amazon ECS adapter's suite against moto: shapes of requests and answers, one at a time. Needs a python3 with moto on PATH
 * (`pip install -r scripts/emulators/moto-requirements.txt`). Usage: npm run test:moto
 */
import { execFileSync } from "node:child_process";
import { freePort } from "../local/dynamodb/free-port.ts";
import { answersHttp, startGuarded } from "../local/dynamodb/guarded-child.ts";
import { missing, runTests } from "./emulators/run-tests.ts";

const startMs = 60_000;
/** Its StartTask takes no network configuration, its DescribeTasks names no failures, and it lists the machines of any cluster. */
const lacks = "awsvpc,missing-tasks,unknown-clusters";

function motoVersion(): string | undefined {
  try {
    const script = "import moto, moto.server; print(moto.__version__)";
    return execFileSync("python3", ["-c", script], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

const version = motoVersion();
if (version === undefined) {
  missing("test:moto", "python3 has no module moto.server (pip install -r scripts/emulators/moto-requirements.txt)");
}
const port = await freePort();
const endpoint = `http://127.0.0.1:${port}`;
const moto = await startGuarded("python3", ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)]);
try {
  if (!(await answersHttp(moto, endpoint, startMs))) missing("test:moto", `moto ${version} does not start: ${moto.complaints()}`);
  console.log(`moto ${version} answers at ${endpoint}`);
  // Left alone, a task takes a step towards its end each time that somebody looks at it.
  await fetch(`${endpoint}/moto-api/state-manager/set-transition`, {
    method: "POST",
    body: JSON.stringify({ model_name: "ecs::task", transition: { progression: "manual", times: 1_000_000 } }),
  });
  process.exitCode = await runTests(["test/aws/ecs-endpoint.test.ts"], { TEST_ECS_ENDPOINT: endpoint, TEST_ECS_LACKS: lacks });
} finally {
  await moto.stop();
}
