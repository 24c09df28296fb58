/**
 * Notices that this process wrote to the table, without standing in the way: Node tells of every HTTP response it gets. The stream's
 * reader then looks at once, and need not poll for what nobody wrote.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest, IncomingMessage } from "node:http";

const channel = "http.client.response.finish";
const writes = /\.(?:PutItem|UpdateItem|DeleteItem|BatchWriteItem|TransactWriteItems|ExecuteStatement)$/u;

/**
 * @param endpoint of DynamoDB, such as `http://127.0.0.1:8000`
 * @param written called after each write that was answered
 * @returns stops it
 */
export function watchWrites(endpoint: string, written: () => void): () => void {
  const { host } = new URL(endpoint);
  const listen = (message: unknown) => {
    const { request, response } = message as { readonly request: ClientRequest; readonly response: IncomingMessage };
    if (request.getHeader("host") !== host || response.statusCode !== 200) return;
    if (writes.test(String(request.getHeader("x-amz-target")))) written();
  };
  subscribe(channel, listen);
  return () => void unsubscribe(channel, listen);
}
