/** The part of dockerode that is used: its transport. The package brings no types. */
declare module "dockerode" {
  import type { Agent, IncomingMessage } from "node:http";

  interface Dial {
    path: string;
    method: string;
    /** `_query` and `_body` are docker-modem's names. */
    options: { _query: object; _body: unknown };
    headers?: Record<string, string>;
    file?: Buffer;
    isStream: true;
    abortSignal?: AbortSignal | undefined;
    statusCodes: Record<number, true | string>;
  }

  interface DialError extends Error {
    statusCode?: number;
    code?: string;
  }

  export default class Docker {
    /** Without a socket path, where `DOCKER_HOST` and its companions lead. */
    constructor(options?: { socketPath?: string; agent?: Agent });
    readonly modem: {
      dial(options: Dial, callback: (error: DialError | null, answer: IncomingMessage) => void): void;
    };
  }

  export type { Dial, DialError, IncomingMessage };
}
