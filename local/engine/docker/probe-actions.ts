/**
 * HTTP, TCP and gRPC probes of a Pod, over its network, with the kubelet's rules and words.
 * @see k8s.io/kubernetes/pkg/probe/{http,tcp,grpc}
 */
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { connect as connectHttp2, constants, type IncomingHttpHeaders } from "node:http2";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { ProbeSpec } from "../../../shared/kubelet/probes.ts";
import type { CheckResult } from "../container-runtime.ts";

export type NetworkAction = Exclude<ProbeSpec["action"], { type: "exec" }>;

/** @param address of the Pod. Never rejects */
export function networkCheck(action: NetworkAction, address: string, timeoutMs: number): Promise<CheckResult> {
  switch (action.type) {
    case "httpGet":
      return http(action, action.host ?? address, timeoutMs);
    case "tcpSocket":
      return tcp(action.host ?? address, action.port, timeoutMs);
    case "grpc":
      return grpc(action, address, timeoutMs);
  }
}

const maxBodyBytes = 10 * 1_024;
const maxRedirects = 10;
const userAgent = "kube-probe/1.36";

const hostText = (host: string, port: number): string => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);

async function http(
  { scheme, port, path, headers }: Extract<NetworkAction, { type: "httpGet" }>,
  host: string,
  timeoutMs: number,
): Promise<CheckResult> {
  const signal = AbortSignal.timeout(timeoutMs);
  const first = new URL(path.startsWith("/") ? path : `/${path}`, `${scheme.toLowerCase()}://${hostText(host, port)}`);
  let url = first;
  try {
    for (let redirects = 0; ; redirects += 1) {
      const { status, location, body } = await get(url, headers, signal);
      const next = status >= 300 && status < 400 && location !== undefined ? new URL(location, url) : undefined;
      // To another host nobody goes: that the Pod answers is enough.
      if (!next || next.hostname !== first.hostname) {
        const success = status >= 200 && status < 400;
        return { success, output: success ? body : `HTTP probe failed with statuscode: ${status}` };
      }
      if (redirects === maxRedirects) return { success: false, output: `Get "${next.href}": stopped after ${maxRedirects} redirects` };
      url = next;
    }
  } catch (error) {
    const why = signal.aborted
      ? "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
      : dialText(error, url.hostname, port);
    return { success: false, output: `Get "${url.href}": ${why}` };
  }
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

function get(url: URL, headers: readonly (readonly [string, string])[], signal: AbortSignal): Promise<Answer> {
  const sent: OutgoingHttpHeaders = { "User-Agent": userAgent, Accept: "*/*", Connection: "close" };
  for (const [name, value] of headers) {
    const known = Object.keys(sent).find((one) => one.toLowerCase() === name.toLowerCase()) ?? name;
    // An empty value leaves the header away.
    if (value === "") delete sent[known];
    else sent[known] = value;
  }
  // Nobody vouches for the certificate of a Pod.
  const options = { headers: sent, agent: false, signal, rejectUnauthorized: false } as const;
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const done = () =>
        resolve({
          status: response.statusCode ?? 0,
          location: response.headers.location,
          body: Buffer.concat(chunks).toString("utf8", 0, maxBodyBytes),
        });
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes < maxBodyBytes) return;
        done();
        response.destroy();
      });
      response.on("end", done);
      response.on("error", reject);
    };
    const asking = url.protocol === "https:" ? httpsRequest(url, options, answered) : httpRequest(url, options, answered);
    asking.on("error", reject);
    asking.end();
  });
}

/** A failure to connect, as Go says it. */
function dialText(error: unknown, host: string, port: number): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const dial = `dial tcp ${hostText(host.replace(/^\[(.*)\]$/u, "$1"), port)}`;
  switch (code) {
    case "ECONNREFUSED":
      return `${dial}: connect: connection refused`;
    case "EHOSTUNREACH":
      return `${dial}: connect: no route to host`;
    case "ENETUNREACH":
      return `${dial}: connect: network is unreachable`;
    case "ETIMEDOUT":
      return `${dial}: i/o timeout`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${dial}: no such host`;
    case "ECONNRESET":
      return "EOF";
    default:
      return message;
  }
}

const tcp = (host: string, port: number, timeoutMs: number): Promise<CheckResult> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (result: CheckResult) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => end({ success: false, output: `dial tcp ${hostText(host, port)}: i/o timeout` }), timeoutMs);
    socket.on("connect", () => end({ success: true, output: "" }));
    socket.on("error", (error) => end({ success: false, output: dialText(error, host, port) }));
  });

/** Values of `grpc.health.v1.HealthCheckResponse.ServingStatus`. */
const servingStatus = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"] as const;
const serving = 1;
/** gRPC's status codes. */
const grpcOk = 0;
const grpcUnimplemented = 12;

/** Calls `grpc.health.v1.Health/Check` in the clear. */
function grpc({ port, service }: Extract<NetworkAction, { type: "grpc" }>, host: string, timeoutMs: number): Promise<CheckResult> {
  const address = hostText(host, port);
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${address}`);
    const end = (success: boolean, output: string) => {
      clearTimeout(timer);
      session.destroy();
      resolve({ success, output });
    };
    const timer = setTimeout(
      () => end(false, `timeout: failed to connect service "${address}" within ${timeoutMs / 1_000}s: context deadline exceeded`),
      timeoutMs,
    );
    const notConnected = (error: unknown) => end(false, `error: failed to connect service "${address}": ${dialText(error, host, port)}`);
    session.on("error", notConnected);
    const call = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": userAgent,
    });
    const chunks: Buffer[] = [];
    let status: number | undefined;
    let message = "";
    const readStatus = (headers: IncomingHttpHeaders) => {
      if (headers["grpc-status"] === undefined) return;
      status = Number(headers["grpc-status"]);
      message = decodeURIComponent([headers["grpc-message"] ?? ""].flat().join(" "));
    };
    call.on("response", readStatus);
    call.on("trailers", readStatus);
    call.on("data", (chunk: Buffer) => chunks.push(chunk));
    call.on("error", (error) => {
      // A call that never left tells why the session could not begin.
      if (error.cause) notConnected(error.cause);
      else end(false, `error: health rpc failed: ${error.message}`);
    });
    call.on("end", () => {
      if (status === grpcUnimplemented) {
        return end(false, "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)");
      }
      if (status !== grpcOk)
        return end(false, `error: health rpc probe failed: rpc error: code = ${status ?? "unknown"} desc = ${message}`);
      const answer = servingStatusOf(Buffer.concat(chunks));
      end(
        answer === serving,
        answer === serving ? "service healthy" : `service unhealthy (responded with "${servingStatus[answer] ?? answer}")`,
      );
    });
    call.end(grpcMessage(healthCheckRequest(service)));
  });
}

/** Not compressed, and its length. */
function grpcMessage(message: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/** `{ string service = 1 }` in protobuf. */
function healthCheckRequest(service: string): Buffer {
  const name = Buffer.from(service);
  if (name.length === 0) return name;
  const length = name.length < 128 ? [name.length] : [(name.length & 0x7f) | 0x80, name.length >> 7];
  return Buffer.concat([Buffer.from([0x0a, ...length]), name]);
}

/** `{ ServingStatus status = 1 }` in protobuf, after the message's header; zero is left away. */
const servingStatusOf = (bytes: Buffer): number => (bytes[5] === 0x08 ? (bytes[6] ?? 0) : 0);
