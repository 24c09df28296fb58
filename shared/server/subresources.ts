/** Subresources: views on an object, actions on it, and connections into it. */
import { StatusError } from "../errors/status-error.ts";
import { methodNotAllowed as notSupported } from "../registry/errors.ts";
import { answerer } from "./answers.ts";
import { methodNotAllowed, resourceNotFound } from "./errors.ts";
import { type KindRequest, keyIn } from "./kind-request.ts";
import { podLogOptions } from "./pod-logs.ts";
import { getOptions } from "./query.ts";
import { objectToWrite } from "./request-bodies.ts";
import { watchMs } from "./watch.ts";
import { patch, update } from "./writes.ts";

/** Subresources that are connections into a Pod, Node or Service. */
const connections = new Set(["attach", "exec", "portforward", "proxy"]);

export async function subresource(request: KindRequest, verb: string): Promise<Response> {
  const { kind, options, context, query, resource } = request;
  const facts = kind.subresources.find(({ name }) => name === resource.subresource);
  if (request.request.method === "HEAD" || !facts?.verbs.includes(verb)) throw kind.custom ? notSupported(kind, verb) : methodNotAllowed();
  if (connections.has(resource.subresource)) throw connectionRefused(resource.subresource);
  switch (verb) {
    case "get": {
      if (resource.subresource === "log") return podLog(request);
      const answer = answerer(request);
      const key = keyIn(request);
      if (resource.subresource === "scale") return answer.object(await options.registry.getSubresource(kind, key, "scale", context));
      return answer.object(await options.registry.get(kind, key, getOptions(query), context));
    }
    case "create": {
      const answer = answerer(request);
      const { body, write } = await objectToWrite(request, "CreateOptions");
      return answer.object(await options.registry.createSubresource(kind, keyIn(request), resource.subresource, body, write, context), 201);
    }
    case "update":
      return update(request);
    case "patch":
      return patch(request);
    default:
      throw methodNotAllowed();
  }
}

const connectionRefused = (name: string): StatusError =>
  new StatusError(
    "MethodNotAllowed",
    `${name} needs a connection that stays open in both directions, which API Gateway cannot carry; this deployment has no relay for it`,
    { details: {} },
  );

async function podLog(request: KindRequest): Promise<Response> {
  const { kind, options, context, query } = request;
  if (!options.podLogs) throw resourceNotFound();
  const key = keyIn(request);
  const logOptions = podLogOptions(key.name, query);
  const pod = await options.registry.get(kind, key, {}, context);
  const stopped = new AbortController();
  const until = watchMs(undefined, request.remainingMs);
  // Following a log costs what a watch costs, and ends as one does.
  if (logOptions.follow) {
    options.clock.sleep(until, context.signal).then(
      () => stopped.abort(),
      () => {},
    );
  }
  const newest = () => options.registry.get(kind, keyIn(request), {}, context).catch(() => undefined);
  const body = await options.podLogs.open(pod, logOptions, AbortSignal.any([context.signal, stopped.signal]), newest);
  return new Response(body, { headers: { "content-type": "text/plain" } });
}
