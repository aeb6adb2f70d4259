// The allowed hosts of a component, with the values of variables in them.

import { SpindleError } from "../errors/mod.ts";
import {
  AllowedHostSyntaxError,
  AllowedHosts,
  type Component,
  expandTemplate,
  parseTemplate,
} from "../manifest/mod.ts";

export interface ComponentHostsOptions {
  /** Ids of all components of the application, for `*.spin.internal`. */
  readonly componentIds: readonly string[];
  /** The value of a variable of the application; undefined if it has none. */
  variable(name: string): string | undefined;
}

/**
 * Reads `allowed_outbound_hosts`. An item with a variable that has no value allows nothing.
 *
 * @throws SpindleError MANIFEST_HOST for an item that cannot be read once its variables are in it
 */
export function readAllowedHosts(
  component: Pick<Component, "id" | "allowedOutboundHosts">,
  options: ComponentHostsOptions,
): AllowedHosts {
  const items = component.allowedOutboundHosts
    .map((item) => expandTemplate(parseTemplate(item) ?? [], (name) => options.variable(name)))
    .filter((item) => item !== undefined);
  try {
    return AllowedHosts.parse(items, options.componentIds);
  } catch (cause) {
    if (!(cause instanceof AllowedHostSyntaxError)) throw cause;
    throw new SpindleError(
      "MANIFEST_HOST",
      `Cannot read the allowed_outbound_hosts of component "${component.id}" with its variables: ${cause.message}`,
      { cause },
    );
  }
}
