/** Runs a command inside a container and waits for its end: exec probes and the health checks of ECS. */
import type { CheckResult } from "../container-runtime.ts";
import { ApiError, type EngineApi } from "./api.ts";

/** What is kept of a command's output, as the kubelet does. */
const maxOutputBytes = 10 * 1_024;
const headerBytes = 8;

/** Never rejects. A command that takes too long goes on in the container, but has failed. */
export async function execCheck(api: EngineApi, id: string, command: readonly string[], timeoutMs: number): Promise<CheckResult> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const { Id: exec } = await api.call<{ readonly Id: string }>("POST", `/containers/${id}/exec`, {
      body: { Cmd: command, AttachStdout: true, AttachStderr: true },
      signal,
    });
    const stream = await api.stream("POST", `/exec/${exec}/start`, { body: { Detach: false, Tty: false }, signal });
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of stream) {
      if (bytes < 2 * maxOutputBytes) chunks.push(chunk);
      bytes += chunk.length;
    }
    const { ExitCode: code } = await api.call<{ readonly ExitCode: number | null }>("GET", `/exec/${exec}/json`, { signal });
    return { success: code === 0, output: withoutFrames(Buffer.concat(chunks)).toString("utf8").slice(0, maxOutputBytes) };
  } catch (error) {
    if (signal.aborted)
      return { success: false, output: `command timed out: "${command.join(" ")}" timed out after ${timeoutMs / 1_000}s` };
    return { success: false, output: error instanceof ApiError ? error.message : String(error) };
  }
}

/** The output of both streams, without the eight bytes before each piece. */
function withoutFrames(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at + headerBytes <= bytes.length; ) {
    const end = at + headerBytes + bytes.readUInt32BE(at + 4);
    pieces.push(bytes.subarray(at + headerBytes, end));
    at = end;
  }
  return Buffer.concat(pieces);
}
