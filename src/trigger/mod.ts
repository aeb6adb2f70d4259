// The door of the trigger room: what turns events into calls of components.

export type {
  BufferedHttpExecutor,
  HttpExecutor,
  HttpReply,
  HttpRequest,
  RequestBody,
  RouteMatch,
  StreamedHttpExecutor,
} from "./http/executor.ts";
export { type ChainOptions, createChain } from "./http/executors/chain.ts";
export { createExecutors, type ExecutorParts } from "./http/executors/create-executors.ts";
export { describeFailure, type HttpLogEntry } from "./http/failure.ts";
export {
  HttpTrigger,
  type HttpTriggerCounts,
  type HttpTriggerOptions,
  type StopOptions,
  type TlsFiles,
} from "./http/http-trigger.ts";
export { DEFAULT_HTTP_LIMITS, type HttpLimits } from "./http/limits.ts";
export { formatAddress, type ListenAddress, parseListenAddress, probe } from "./http/listen-address.ts";
export { createRoute, type Route, type RouteSource } from "./http/route.ts";
export { type ListedRoute, renderServing, type Serving } from "./http/route-list.ts";
export { Router } from "./http/router.ts";
export { fullUrl, spinHeaders } from "./http/spin-headers.ts";
