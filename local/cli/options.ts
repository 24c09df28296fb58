/** The command line of `npm start`: what it takes, what it says about itself, and what it refuses. */
import { isIP } from "node:net";
import { parseArgs } from "node:util";
import { instanceTypes, usualType } from "../nodes/instance-types.ts";
import { UserError } from "../user-error.ts";

export interface CliOptions {
  readonly port: number;
  /** Folder for all state. */
  readonly data: string;
  /** File; inside the data folder when absent. */
  readonly kubeconfig: string | undefined;
  /** The best that answers when absent. */
  readonly engine: "docker" | "simulated" | undefined;
  readonly nodes: number;
  /** What suits the engine when absent. */
  readonly nodeType: string | undefined;
  /** Addresses besides the loopback one to listen on, and names to put into the certificate. */
  readonly hosts: readonly string[];
  readonly provisionAny: boolean;
}

export const help = `Runs the whole control plane on this machine.

Usage: npm start -- [options]

  --port PORT         port of the Kubernetes API (default 6443; 0 takes a free one)
  --data DIR          folder for all state (default .binnacle)
  --kubeconfig FILE   where to write the kubeconfig (default DIR/kubeconfig)
  --engine ENGINE     what runs containers: docker (Docker or podman, where one answers), or
                      simulated, which runs nothing and pretends (default: docker if it is there)
  --nodes N           number of nodes, 0 to 100 (default 3)
  --node-type TYPE    EC2 instance type of the nodes (default ${usualType.arm64}, or ${usualType.x86_64} where the engine
                      runs on amd64): ${Object.keys(instanceTypes).join(", ")}
  --host HOST         also listen on this address, or also answer to this name; may be repeated
  --provision-any     provision volumes of any storage class, not only of the class local
  --help              show this

AWS_ENDPOINT_URL_DYNAMODB names a DynamoDB to use instead of the one that comes along.
BINNACLE_LOG_LEVEL (debug, info, warn, error; default warn) says how much to log, as JSON lines on standard output.
BINNACLE_SIMULATED_RULES names a file of rules for the simulated engine (see local/engine/simulated/rules.json).
`;

const maxNodes = 100;

/** @returns "help" when that is what was asked for @throws {UserError} */
export function readOptions(args: readonly string[]): CliOptions | "help" {
  const values = parse(args);
  if (values.help) return "help";
  const { engine } = values;
  if (engine !== undefined && engine !== "docker" && engine !== "simulated") {
    throw new UserError(`--engine must be docker or simulated, not ${engine}.`);
  }
  const nodeType = values["node-type"];
  if (nodeType !== undefined && !Object.hasOwn(instanceTypes, nodeType)) {
    throw new UserError(`--node-type must be one of ${Object.keys(instanceTypes).join(", ")}, not ${nodeType}.`);
  }
  for (const host of values.host) checkHost(host);
  for (const name of ["data", "kubeconfig"] as const) if (values[name] === "") throw new UserError(`--${name} must not be empty.`);
  return {
    port: wholeNumber("port", values.port, 65_535),
    data: values.data,
    kubeconfig: values.kubeconfig,
    engine,
    nodes: wholeNumber("nodes", values.nodes, maxNodes),
    nodeType,
    hosts: values.host,
    provisionAny: values["provision-any"],
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        port: { type: "string", default: "6443" },
        data: { type: "string", default: ".binnacle" },
        kubeconfig: { type: "string" },
        engine: { type: "string" },
        nodes: { type: "string", default: "3" },
        "node-type": { type: "string" },
        host: { type: "string", multiple: true, default: [] },
        "provision-any": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    const message = error instanceof Error ? (error.message.split(". ")[0] ?? "") : String(error);
    throw new UserError(`${message}. See npm start -- --help.`, { cause: error });
  }
}

function wholeNumber(name: string, text: string, most: number): number {
  const value = /^\d+$/u.test(text) ? Number(text) : Number.NaN;
  if (!(value <= most)) throw new UserError(`--${name} must be a whole number from 0 to ${most}, not ${JSON.stringify(text)}.`);
  return value;
}

function checkHost(host: string): void {
  if (isIP(host) !== 0) return;
  if (!/^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/iu.test(host)) {
    throw new UserError(`--host must be an IP address or a DNS name, not ${JSON.stringify(host)}.`);
  }
}
