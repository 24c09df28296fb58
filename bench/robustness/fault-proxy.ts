/**
 * A proxy between one process' AWS SDK and the DynamoDB engine, in which everything goes wrong that goes wrong on the way to DynamoDB.
 * Whatever it makes up is something that DynamoDB, or the network before it, is allowed to do.
 */
import { randomUUID } from "node:crypto";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { type DynamoDbCall, isWrite, readCall, type WireItem } from "./dynamodb-call.ts";
import type { Fault, FaultType, Throttle } from "./faults.ts";
import type { LaggingReplica, ReadReply } from "./lagging-replica.ts";
import type { Random } from "./random.ts";
import { tornQuery } from "./torn-query.ts";

/** An answer of the engine. */
export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** Stands beside the way of every request. */
export interface Passage {
  /** A request is here. Whatever is waited for is waited for before it goes on. @returns whether it may go on at all */
  before?(call: DynamoDbCall): Promise<boolean>;
  /** The engine has answered; the caller does not know yet. */
  after?(call: DynamoDbCall, reply: Reply): Promise<void>;
}

export interface FaultProxyOptions {
  /** Where the engine listens; asked for every request, since it may have been started again elsewhere. */
  readonly target: () => string;
  /** What shall go wrong with a request. */
  readonly next: (call: DynamoDbCall) => Fault | undefined;
  /** A fault had its effect. */
  readonly happened: (type: FaultType) => void;
  readonly random: Random;
  /** Shared by all proxies of a table. */
  readonly replica: LaggingReplica;
  readonly passage?: Passage;
}

export interface FaultProxy {
  readonly endpoint: string;
  stop(): Promise<void>;
}

export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    // Nobody is there to be told: the connection broke, or the engine is being started again.
    new Exchange(options, agent, incoming, outgoing).run().catch(() => breakOff(outgoing));
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      agent.destroy();
    },
  };
}

/** One request and its answer. */
class Exchange {
  readonly #options: FaultProxyOptions;
  readonly #agent: Agent;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;

  constructor(options: FaultProxyOptions, agent: Agent, incoming: IncomingMessage, outgoing: ServerResponse) {
    this.#options = options;
    this.#agent = agent;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  async run(): Promise<void> {
    const text = await readAll(this.#incoming);
    const call = readCall(this.#header("x-amz-target"), text);
    if (!call) return this.#answer(await this.#send(text));
    if ((await this.#options.passage?.before?.(call)) === false) return breakOff(this.#outgoing);
    const fault = this.#options.next(call);
    if (!fault) return this.#answer(await this.#carryOut(call, text));
    await this.#goWrong(call, text, fault);
  }

  async #goWrong(call: DynamoDbCall, text: string, fault: Fault): Promise<void> {
    const { happened, random, replica } = this.#options;
    switch (fault.type) {
      case "throttle":
        this.#answer(throttled(fault.as));
        break;
      case "reset":
        breakOff(this.#outgoing);
        break;
      case "fail":
        this.#answer(failed(fault.status));
        break;
      case "failAfter":
        await this.#carryOut(call, text);
        this.#answer(failed(fault.status));
        break;
      case "dropReply":
        await this.#carryOut(call, text);
        breakOff(this.#outgoing);
        break;
      case "delay":
        await pause(fault.ms);
        this.#answer(await this.#carryOut(call, text));
        break;
      case "delayReply": {
        const reply = await this.#carryOut(call, text);
        await pause(fault.ms);
        this.#answer(reply);
        break;
      }
      case "late":
        breakOff(this.#outgoing);
        await pause(fault.ms);
        await this.#carryOut(call, text);
        break;
      case "tornQuery": {
        const before = await this.#carryOut(call, text);
        await pause(fault.ms);
        const after = await this.#carryOut(call, text);
        if (before.status !== 200 || after.status !== 200) return this.#answer(after);
        const { reply, torn } = tornQuery(JSON.parse(before.body) as ReadReply, JSON.parse(after.body) as ReadReply, random);
        this.#answer({ status: 200, body: JSON.stringify(reply) });
        if (!torn) return;
        break;
      }
      case "shortPage": {
        const limit = Math.min(call.body.Limit ?? Infinity, fault.limit);
        this.#answer(await this.#carryOut(call, JSON.stringify({ ...call.body, Limit: limit })));
        break;
      }
      case "staleRead": {
        const reply = await this.#carryOut(call, text);
        if (reply.status !== 200) return this.#answer(reply);
        const stale = JSON.stringify(replica.rewind(call, JSON.parse(reply.body) as ReadReply, fault.lagMs));
        this.#answer({ status: 200, body: stale });
        break;
      }
    }
    happened(fault.type);
  }

  /** Has the engine do it, whether or not anybody waits for the answer. */
  async #carryOut(call: DynamoDbCall, text: string): Promise<Reply> {
    // The engine is asked for what a write replaces, for the replica's sake. The SDK takes no notice of it.
    const asked = isWrite(call) ? JSON.stringify({ ...(JSON.parse(text) as object), ReturnValues: "ALL_OLD" }) : text;
    const reply = await this.#send(asked);
    if (isWrite(call) && reply.status === 200 && call.sk !== undefined) {
      const { Attributes } = JSON.parse(reply.body) as { Attributes?: WireItem };
      this.#options.replica.wrote(call.pk, call.sk, Attributes);
    }
    await this.#options.passage?.after?.(call, reply);
    return reply;
  }

  #send(text: string): Promise<Reply> {
    const { method = "POST", url = "/", headers } = this.#incoming;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(url, this.#options.target()),
        { method, headers: { ...headers, "content-length": Buffer.byteLength(text) }, agent: this.#agent },
        (reply) => {
          readAll(reply).then((body) => resolve({ status: reply.statusCode ?? 500, body }), reject);
        },
      );
      outgoing.once("error", reject);
      outgoing.end(text);
    });
  }

  #answer({ status, body }: Reply): void {
    const headers = { "content-type": "application/x-amz-json-1.0", "x-amzn-requestid": randomUUID() };
    this.#outgoing.writeHead(status, headers).end(body);
  }

  #header(name: string): string | undefined {
    const value = this.#incoming.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }
}

const breakOff = (outgoing: ServerResponse): void => void outgoing.socket?.resetAndDestroy();

async function readAll(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

/** @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html */
const throttles: Readonly<Record<Throttle, { readonly type: string; readonly message: string }>> = {
  ProvisionedThroughputExceededException: {
    type: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    message:
      "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
  },
  ThrottlingException: {
    type: "com.amazon.coral.availability#ThrottlingException",
    message: "Rate of requests exceeds the allowed throughput.",
  },
  RequestLimitExceeded: {
    type: "com.amazonaws.dynamodb.v20120810#RequestLimitExceeded",
    message: "Throughput exceeds the current throughput limit for your account. Please contact AWS Support to request a limit increase.",
  },
};

function throttled(as: Throttle): Reply {
  const { type, message } = throttles[as];
  return { status: 400, body: JSON.stringify({ __type: type, message }) };
}

const failed = (status: 500 | 503): Reply =>
  status === 500
    ? {
        status,
        body: JSON.stringify({
          __type: "com.amazonaws.dynamodb.v20120810#InternalServerError",
          message: "The request processing has failed because of an unknown error, exception or failure.",
        }),
      }
    : {
        status,
        body: JSON.stringify({
          __type: "com.amazon.coral.availability#ServiceUnavailableException",
          message: "The service is currently unavailable or busy.",
        }),
      };
