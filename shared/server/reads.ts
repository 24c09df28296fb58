/** Reading objects of a kind: one, many, or as they change. */

import { badRequest } from "../errors/status-error.ts";
import { answerer } from "./answers.ts";
import { getComponent, listComponents } from "./component-status.ts";
import { tooManyRequests } from "./errors.ts";
import { type KindRequest, keyIn, namespaceIn } from "./kind-request.ts";
import { json, negotiate, type Offer, protobuf, type Representation } from "./media-types.ts";
import { getOptions, listOptions, watchOptions } from "./query.ts";
import { includeObject } from "./table.ts";
import { eventEncoder, watchBody, watchContentType, watchMs } from "./watch.ts";

export async function get(request: KindRequest): Promise<Response> {
  const { kind, options, context, query } = request;
  const answer = answerer(request);
  if (kind.kind === "ComponentStatus" && kind.group === "") return answer.object(await getComponent(options.checks, request.resource.name));
  return answer.object(await options.registry.get(kind, keyIn(request), getOptions(query), context));
}

export async function list(request: KindRequest): Promise<Response> {
  const { kind, options, context, query } = request;
  const answer = answerer(request);
  if (kind.kind === "ComponentStatus" && kind.group === "") return answer.list(await listComponents(options.checks));
  return answer.list(await options.registry.list(kind, listOptions(query, namespaceIn(request)), context));
}

/** A gateway that carries WebSockets takes the headers of the handshake away; where they arrive, nobody will complete it. */
const noWebSockets = () =>
  badRequest(
    "this API's gateway does not carry WebSockets: ask for the same URL without the headers Upgrade and Sec-WebSocket-*, and events are streamed as they come",
  );

/** A watch that was not given back counts so much longer than it can have lasted. */
const graceMs = 10_000;

export async function watch(request: KindRequest): Promise<Response> {
  const { kind, options, context, query, resource, remainingMs } = request;
  const { clock, metrics, watchBudget } = options;
  if (request.request.headers.has("sec-websocket-key")) throw noWebSockets();
  const representation = watchRepresentation(request);
  const include = includeObject(query);
  if (representation.as?.kind === "Table") await kind.loadBehaviour?.();
  const { parameters, timeoutSeconds } = watchOptions(query, namespaceIn(request), resource.name);
  const forMs = watchMs(timeoutSeconds, remainingMs);
  const release = await watchBudget.open(context.cluster, context.user.username, forMs + graceMs);
  if (!release) throw tooManyRequests("too many watches are open; please try again later", 10);

  const deadline = new AbortController();
  const finished = new AbortController();
  const signal = AbortSignal.any([context.signal, deadline.signal]);
  const shape = { kind, representation, include, toStatusError: options.toStatusError };
  let events;
  try {
    events = await options.registry.watch(kind, parameters, { ...context, signal });
  } catch (error) {
    await release();
    throw error;
  }
  clock.sleep(forMs, finished.signal).then(
    () => deadline.abort(),
    () => {},
  );
  metrics.watchOpened();
  const done = () => {
    finished.abort();
    deadline.abort();
    metrics.watchClosed();
    return release();
  };
  return new Response(watchBody(events, eventEncoder(shape, clock), { signal, clock, done }), {
    headers: { "content-type": watchContentType(representation.mediaType) },
  });
}

/** Events are JSON wherever the client takes it, also when it would rather have protobuf: the Content-Type says so. */
function watchRepresentation({ request, kind }: KindRequest): Representation {
  const accept = request.headers.get("accept") ?? "";
  const offers: Offer[] = [{ mediaTypes: [json], tables: true, metadata: [json] }];
  if (!kind.custom) offers.push({ mediaTypes: [protobuf] });
  for (const [index, offer] of offers.entries()) {
    try {
      return negotiate(accept, offer);
    } catch (error) {
      if (index === offers.length - 1) throw error;
    }
  }
  return { mediaType: json };
}
