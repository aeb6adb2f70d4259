// The definition of `spin.toml`, for every version of it that there is.
//
// Types, the checks of shape, and the JSON Schema for editors (`npm run schema`) are all made from what
// stands here. What only the whole manifest can tell (references, duplicates) is in check.ts.

import semverVersion from "semver/functions/valid.js";
import semverRange from "semver/ranges/valid.js";
import * as v from "valibot";

import { AllowedHostSyntaxError, parseAllowedHost } from "./allowed-hosts.ts";
import { INHERITABLE } from "./application.ts";
import { type LimitKey, limitRule, readLimit } from "./component-limits.ts";
import { dependencyNameMistake } from "./dependency-name.ts";
import { type Mistake, quote } from "./findings.ts";
import {
  KEBAB_CASE,
  kebabMistake,
  LABEL,
  LOWER_SNAKE_CASE,
  labelMistake,
  lowerSnakeMistake,
} from "./identifiers.ts";
import { routeMistake } from "./route.ts";
import type { Rule } from "./shape.ts";
import { parseTemplate } from "./template.ts";

/** Attaches a rule that readShape() asks. */
function rule<T>(find: Rule<NoInfer<T>>): v.MetadataAction<T, { readonly find: Rule<T> }> {
  return v.metadata({ find });
}

/** A field that may be left out, with what editors show about it. */
function optional<S extends v.GenericSchema>(schema: S, description: string) {
  return v.exactOptional(v.pipe(schema, v.description(description)));
}

const strings = v.array(v.string());
const anyTable = v.looseObject({});
const tablesByName = v.record(v.string(), anyTable);

// Identifiers.

const kebabId = v.pipe(v.string(), v.regex(KEBAB_CASE), rule(kebabMistake));
const variableName = v.pipe(v.string(), v.regex(LOWER_SNAKE_CASE), rule(lowerSnakeMistake));
const labels = v.array(v.pipe(v.string(), v.regex(LABEL), rule(labelMistake)));

// Values.

const template = v.pipe(v.string(), rule(templateMistake));

function templateMistake(text: string): Mistake | undefined {
  const parts = parseTemplate(text);
  if (parts && !parts.some((part) => part.kind === "variable" && part.name === "")) return undefined;
  const [flaw, hint] = parts
    ? ['a "{{" and "}}" with nothing between', "Name a variable between the braces."]
    : ['a "{{" is never closed', 'Close it with "}}".'];
  return { code: "MANIFEST_TEMPLATE", message: `Invalid template ${quote(text)}: ${flaw}`, hint };
}

const allowedHost = v.pipe(v.string(), rule(allowedHostMistake));

/** Hosts with templates are checked once the variables are known. */
function allowedHostMistake(item: string): Mistake | undefined {
  const mistake = templateMistake(item);
  const parts = parseTemplate(item);
  if (mistake || !parts) return mistake;
  return parts.some((part) => part.kind === "variable") ? undefined : hostMistake(item, item);
}

/** Says what is wrong with an item of `allowed_outbound_hosts` whose templates have been expanded. */
export function hostMistake(item: string, expanded: string): Mistake | undefined {
  const code = "MANIFEST_HOST";
  if (expanded === "insecure:allow-all") {
    const message =
      'Invalid allowed host "insecure:allow-all": it is not supported in allowed_outbound_hosts';
    return { code, message, hint: 'Write "*://*:*" to allow all outbound traffic.' };
  }
  try {
    parseAllowedHost(expanded);
    return undefined;
  } catch (error) {
    if (!(error instanceof AllowedHostSyntaxError)) throw error;
    const origin = item === expanded ? "" : ` (from ${quote(item)})`;
    const message = `Invalid allowed host ${quote(expanded)}${origin}: ${error.message}`;
    return { code, message, hint: 'Write it as "scheme://host:port".' };
  }
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const digest = v.pipe(v.string(), v.regex(DIGEST), rule(digestMistake));

function digestMistake(text: string): Mistake | undefined {
  if (DIGEST.test(text)) return undefined;
  const message = `Invalid digest ${quote(text)}: expected "sha256:" and 64 hexadecimal digits in lower case`;
  return { code: "MANIFEST_VALUE", message, hint: "Run `sha256sum` on the file." };
}

const exactVersion = v.pipe(v.string(), rule(versionMistake));

function versionMistake(text: string): Mistake | undefined {
  if (semverVersion(text) !== null) return undefined;
  const message = `Invalid version ${quote(text)}: expected an exact semantic version`;
  return { code: "MANIFEST_VALUE", message, hint: 'Write one such as "1.2.3".' };
}

const versionRequirement = v.pipe(v.string(), rule(requirementMistake));

/** Requirements are Cargo's: lists have commas, which semver's ranges have not. */
function requirementMistake(text: string): Mistake | undefined {
  if (text.trim() !== "" && semverRange(text.replaceAll(",", " ")) !== null) return undefined;
  const message = `Invalid version requirement ${quote(text)}: expected comparisons with versions`;
  return { code: "MANIFEST_VALUE", message, hint: 'Write one such as "^1.2", or ">=1.0, <2.0".' };
}

// What both versions of the manifest share.

const variable = v.pipe(
  v.strictObject({
    description: optional(v.string(), "What the variable is for."),
    required: optional(v.boolean(), "A provider must give the value; excludes `default`."),
    default: optional(v.string(), "The value if no provider gives one; excludes `required`."),
    secret: optional(v.boolean(), "The value is never shown."),
  }),
  rule(variableMistake),
);

function variableMistake(table: { required?: boolean; default?: string }): Mistake | undefined {
  if ((table.required === true) !== (table.default !== undefined)) return undefined;
  const found = table.required ? "it has both" : "it has neither";
  const message = `Invalid variable: it must be \`required\` or have a \`default\`, ${found}`;
  return { code: "MANIFEST_FIELD_CONFLICT", message, hint: 'Write `required = true`, or `default = "..."`.' };
}

const componentSource = v.union([
  v.pipe(v.string(), v.description("The path of a file, relative to the manifest.")),
  v.pipe(
    v.strictObject({ url: v.string(), digest }),
    v.description("A file to download, verified by its digest."),
  ),
  v.pipe(
    v.strictObject({ registry: v.exactOptional(v.string()), package: v.string(), version: exactVersion }),
    v.description("A package in a registry."),
  ),
]);

const filesMount = v.union([
  v.pipe(v.string(), v.description("A pattern; what it matches keeps its path.")),
  v.pipe(
    v.strictObject({ source: v.string(), destination: v.string() }),
    v.description("A directory or file, and the path at which the component sees it."),
  ),
]);

const commands = v.union([v.string(), strings]);

const buildConfig = v.strictObject({
  command: v.pipe(commands, v.description("The shell command, or commands, that build the component.")),
  workdir: optional(v.string(), "Where the commands run, relative to the manifest."),
  watch: optional(strings, "The files that `spindle watch` rebuilds for."),
});

const commonComponentFields = {
  description: optional(v.string(), "Shown below the component's route at start."),
  environment: optional(v.record(v.string(), v.string()), "Environment variables of the guest."),
  files: optional(v.array(filesMount), "The files that the guest can read."),
  exclude_files: optional(strings, "Patterns of files that are left out of `files`."),
  allowed_http_hosts: optional(strings, "Deprecated: use `allowed_outbound_hosts`."),
  allowed_outbound_hosts: optional(
    v.array(allowedHost),
    "Where the guest may connect to: `scheme://host:port`.",
  ),
  key_value_stores: optional(labels, "Labels of the key-value stores that the guest may open."),
  sqlite_databases: optional(labels, "Labels of the SQLite databases that the guest may open."),
  ai_models: optional(strings, "Models that the guest may run."),
  build: optional(buildConfig, "How the component is built."),
};

// Trigger options.

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[^\x00-\x08\x0a-\x1f\x7f]*$/;

function headerMistake(text: string, form: RegExp): Mistake | undefined {
  if (form.test(text)) return undefined;
  return {
    code: "MANIFEST_VALUE",
    message: `Invalid header ${quote(text)}: HTTP does not allow these characters`,
  };
}

function statusMistake(status: number): Mistake | undefined {
  if (Number.isInteger(status) && status >= 200 && status <= 999) return undefined;
  return {
    code: "MANIFEST_VALUE",
    message: `Invalid status code ${status}: expected an integer from 200 to 999`,
  };
}

const headers = v.record(
  v.pipe(
    v.string(),
    v.regex(HEADER_NAME),
    rule((name: string) => headerMistake(name, HEADER_NAME)),
  ),
  v.pipe(
    v.string(),
    v.regex(HEADER_VALUE),
    rule((value: string) => headerMistake(value, HEADER_VALUE)),
  ),
);

const staticResponse = v.strictObject({
  status_code: optional(
    v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(999), rule(statusMistake)),
    "200 if it is left out.",
  ),
  headers: optional(headers, "Headers of the response."),
  body: optional(v.string(), "The body of the response."),
});

const route = v.union([
  v.pipe(
    v.string(),
    v.description("`/exact`, `/users/:id`, or `/rest/...` for everything below a path."),
    rule(routeMistake),
  ),
  v.pipe(v.strictObject({ private: v.literal(true) }), v.description("Reachable by other components only.")),
]);

const httpExecutor = v.variant("type", [
  v.strictObject({ type: v.picklist(["http", "spin"]) }),
  v.strictObject({
    type: v.literal("wagi"),
    argv: optional(v.string(), "The arguments, parted by spaces."),
    entrypoint: optional(v.string(), "The function to call; `_start` if left out."),
  }),
]);

const httpOptions = {
  route: v.pipe(route, v.description("The requests that the trigger answers.")),
  executor: optional(httpExecutor, "How the guest is called."),
};

/** The table of a `[[trigger.http]]`, but for what every trigger has (`id`, `component`, `dependencies`). */
export const httpTriggerOptions = v.strictObject({
  ...httpOptions,
  static_response: optional(staticResponse, "Answers without a component."),
});

const redisOptions = {
  channel: v.pipe(template, v.description("The channel to subscribe to.")),
  address: optional(template, "The server, if it is not that of [application.trigger.redis]."),
};

// Version 2.

const targets = v.array(
  v.union([v.string(), v.strictObject({ url: v.string() }), v.strictObject({ path: v.string() })]),
);

const inherit = {
  inherit_configuration: optional(
    v.union([v.boolean(), v.array(v.picklist(INHERITABLE))]),
    "Which permissions of the component its dependency shares.",
  ),
};
const exported = { export: optional(v.string(), "The export to use, if its name differs.") };

const componentDependency = v.union([
  v.pipe(versionRequirement, v.description("The versions of the package that satisfy it.")),
  v.strictObject({
    version: versionRequirement,
    registry: v.exactOptional(v.string()),
    package: v.exactOptional(v.string()),
    ...exported,
    ...inherit,
  }),
  v.strictObject({ path: v.string(), ...exported, ...inherit }),
  v.strictObject({ url: v.string(), digest, ...exported, ...inherit }),
  v.strictObject({ component: kebabId, ...exported, ...inherit }),
]);

const dependencies = v.record(v.pipe(v.string(), rule(dependencyNameMistake)), componentDependency);

const triggerDependency = v.union([
  v.strictObject({
    version: versionRequirement,
    package: v.string(),
    registry: v.exactOptional(v.string()),
    ...inherit,
  }),
  v.strictObject({ path: v.string(), ...inherit }),
  v.strictObject({ url: v.string(), digest, ...inherit }),
  v.strictObject({ component: kebabId, ...inherit }),
]);

const profile = v.strictObject({
  source: optional(componentSource, "Replaces the component's source."),
  environment: optional(v.record(v.string(), v.string()), "Added to the component's environment."),
  dependencies: optional(dependencies, "Added to the component's dependencies."),
  build: optional(v.strictObject({ command: commands }), "Replaces the component's build command."),
});

const SIZE = /^[0-9]{1,15} *([bB]|[kKmMgG][iI]?[bB])?$/;
const DURATION = /^[0-9]{1,15} *(ns|us|ms|s|m|h)?$/;

/** A limit that readLimit() reads. */
function limit(key: LimitKey) {
  const { kind, min, max, description } = limitRule(key);
  const scale = kind === "duration" ? 1000 : 1;
  const bounded = v.pipe(v.number(), v.minValue(min / scale), v.maxValue(max / scale));
  const find = (value: unknown) => {
    const limit = readLimit(key, value);
    return typeof limit === "number" ? undefined : limit;
  };
  if (kind === "count") return optional(v.pipe(bounded, v.integer(), rule(find)), description);
  const text = v.pipe(v.string(), v.regex(kind === "size" ? SIZE : DURATION));
  return optional(v.pipe(v.union([text, bounded]), rule(find)), description);
}

/** Our own settings of a component. */
const spindleTool = v.strictObject({
  spin_abi: optional(v.unknown(), "The version of Spin whose legacy ABI a module was made for."),
  wall_time: limit("wall_time"),
  after_reply_time: limit("after_reply_time"),
  cpu_time: limit("cpu_time"),
  memory: limit("memory"),
  table_elements: limit("table_elements"),
  open_files: limit("open_files"),
  outbound_requests: limit("outbound_requests"),
  outbound_bytes: limit("outbound_bytes"),
  log_bytes: limit("log_bytes"),
  response_bytes: limit("response_bytes"),
  weight: limit("weight"),
});

const component = v.strictObject({
  source: v.pipe(componentSource, v.description("Where the WebAssembly binary is.")),
  ...commonComponentFields,
  variables: optional(
    v.record(variableName, template),
    "Values for the guest, with {{ application_variables }}.",
  ),
  targets: optional(targets, "The environments that the component is built for."),
  tool: optional(
    v.objectWithRest(
      { spindle: optional(spindleTool, "Limits of the component, and what else Spin does not know.") },
      anyTable,
    ),
    "Settings of tools, by name.",
  ),
  dependencies_inherit_configuration: optional(
    v.boolean(),
    "Whether all dependencies share its permissions.",
  ),
  dependencies: optional(dependencies, "What satisfies the component's imports."),
  profile: optional(v.record(v.string(), profile), "Variants, chosen with `--profile`."),
});

const componentSpec = v.union([v.pipe(kebabId, v.description("The id of a component.")), component]);

const commonTriggerFields = {
  id: optional(v.string(), "Names the trigger; made up if left out."),
  component: optional(componentSpec, "The component that is called."),
};

const httpTrigger = v.pipe(
  v.strictObject({
    ...commonTriggerFields,
    ...httpTriggerOptions.entries,
    dependencies: optional(
      v.strictObject({ middleware: v.exactOptional(v.array(triggerDependency)) }),
      "Components that requests go through first.",
    ),
  }),
  rule(handlerMistake),
);

function handlerMistake(trigger: { component?: unknown; static_response?: unknown }): Mistake | undefined {
  if ((trigger.component === undefined) !== (trigger.static_response === undefined)) return undefined;
  const found = trigger.component === undefined ? "it has neither" : "it has both";
  const message = `Invalid trigger: it must have either \`component\` or \`static_response\`, ${found}`;
  const hint = trigger.component === undefined ? 'Add `component = "..."`.' : "Remove one of the two.";
  return { code: "MANIFEST_FIELD_CONFLICT", message, hint };
}

const redisTrigger = v.strictObject({
  ...commonTriggerFields,
  component: v.pipe(componentSpec, v.description("The component that is called.")),
  ...redisOptions,
});

const otherTrigger = v.looseObject({
  ...commonTriggerFields,
  components: optional(
    v.record(v.string(), v.union([componentSpec.options[0], component, v.array(componentSpec)])),
    "Components by role, for triggers that need several.",
  ),
  dependencies: optional(v.record(v.string(), v.array(triggerDependency)), "Dependencies by role."),
});

const application = v.strictObject({
  name: v.pipe(v.string(), v.description("The name of the application.")),
  version: optional(v.string(), "The version of the application."),
  description: optional(v.string(), "What the application does."),
  authors: optional(strings, "Who made it."),
  targets: optional(targets, "The environments that the application is built for."),
  trigger: optional(
    v.objectWithRest(
      {
        http: v.exactOptional(
          v.strictObject({ base: optional(v.string(), 'Deprecated: only "/" is allowed.') }),
        ),
        redis: v.exactOptional(
          v.strictObject({ address: optional(template, "The server for all triggers.") }),
        ),
      },
      anyTable,
    ),
    "Options for all triggers of a type.",
  ),
  tool: optional(tablesByName, "Settings of other tools, never looked at."),
});

/** `spin_manifest_version = 2`. */
export const manifestVersion2 = v.strictObject({
  spin_manifest_version: v.literal(2),
  application: v.pipe(application, v.description("What the application is.")),
  variables: optional(v.record(variableName, variable), "Values that the application needs from outside."),
  trigger: v.pipe(
    v.objectWithRest(
      { http: v.exactOptional(v.array(httpTrigger)), redis: v.exactOptional(v.array(redisTrigger)) },
      v.array(otherTrigger),
    ),
    v.description("What calls the components: `[[trigger.http]]`."),
  ),
  component: optional(v.record(kebabId, component), "The components, by id."),
});

// Version 1, and the form of Spin 0.1, which differs by what it does not have yet.

const componentSourceVersion1 = v.union([
  componentSource,
  v.pipe(
    v.strictObject({ reference: v.string(), parcel: v.string() }),
    v.description("A parcel of a Bindle."),
  ),
]);

function componentVersion1<const T extends v.GenericSchema>(trigger: T) {
  return v.strictObject({
    id: v.pipe(v.string(), v.description("The id of the component.")),
    source: v.pipe(componentSourceVersion1, v.description("Where the WebAssembly binary is.")),
    trigger: v.pipe(trigger, v.description("What calls the component.")),
    ...commonComponentFields,
    config: optional(
      v.record(variableName, template),
      "Values for the guest, with {{ application_variables }}.",
    ),
  });
}

function version1<const A extends v.GenericSchema, const C extends v.GenericSchema>(
  trigger: A,
  componentTrigger: C,
) {
  return v.strictObject({
    spin_manifest_version: optional(v.literal("1"), "The version of the manifest."),
    spin_version: optional(v.literal("1"), "The version of the manifest, by its older name."),
    name: v.pipe(v.string(), v.description("The name of the application.")),
    version: optional(v.string(), "The version of the application."),
    description: optional(v.string(), "What the application does."),
    authors: optional(strings, "Who made it."),
    namespace: optional(v.string(), "Not used."),
    trigger: v.pipe(trigger, v.description("What calls the components.")),
    variables: optional(v.record(variableName, variable), "Values that the application needs from outside."),
    component: optional(v.array(componentVersion1(componentTrigger)), "The components."),
  });
}

const oldExecutor = { executor: optional(v.looseObject({ type: v.literal("spin") }), "Only `spin` exists.") };

/** `spin_version = "1"`, by the type of the one trigger that such an application has. */
export const manifestVersion1 = {
  http: version1(
    v.strictObject({ type: v.literal("http"), base: optional(v.string(), "Put in front of every route.") }),
    v.strictObject(httpOptions),
  ),
  redis: version1(
    v.strictObject({ type: v.literal("redis"), address: optional(template, "The server.") }),
    v.strictObject({ ...redisOptions, ...oldExecutor }),
  ),
  other: version1(v.looseObject({ type: v.string() }), anyTable),
} as const;

/** Parts that occur more than once: a JSON Schema defines them once, by these names. */
export const sharedShapes = {
  buildConfig,
  component,
  componentDependency,
  componentSource,
  componentSpec,
  dependencies,
  filesMount,
  targets,
  triggerDependency,
  variable,
} as const;

export type ManifestVersion2 = v.InferOutput<typeof manifestVersion2>;
export type ManifestVersion1 = v.InferOutput<(typeof manifestVersion1)[keyof typeof manifestVersion1]>;
export type ComponentTable = v.InferOutput<typeof component>;
export type ComponentTableVersion1 = NonNullable<ManifestVersion1["component"]>[number];
export type ComponentSource = v.InferOutput<typeof componentSourceVersion1>;
export type ComponentDependency = v.InferOutput<typeof componentDependency>;
export type FilesMount = v.InferOutput<typeof filesMount>;
export type HttpTriggerOptions = v.InferOutput<typeof httpTriggerOptions>;
export type TriggerTable = v.InferOutput<typeof otherTrigger>;
export type VariableTable = v.InferOutput<typeof variable>;
