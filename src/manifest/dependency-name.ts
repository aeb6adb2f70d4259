// What a component depends on, by name: `plain-name`, or `namespace:package[/interface][@version]`.

import type { SemVer } from "semver";
import parseVersion from "semver/functions/parse.js";

import { type Mistake, quote } from "./findings.ts";
import { KEBAB_CASE } from "./identifiers.ts";

export type DependencyName =
  | { readonly kind: "plain"; readonly name: string }
  | {
      readonly kind: "package";
      /** `namespace:package`. */
      readonly packageName: string;
      readonly interfaceName: string | undefined;
      readonly version: SemVer | undefined;
    };

const PACKAGE_NAME = /^(?<package>[^:/@]+:[^:/@]+)(?:\/(?<interface>[^:/@]+))?(?:@(?<version>.+))?$/;

/** Reads a dependency name; undefined if it is not one. */
export function parseDependencyName(text: string): DependencyName | undefined {
  if (KEBAB_CASE.test(text)) return { kind: "plain", name: text };
  const { package: packageName, interface: interfaceName, version } = PACKAGE_NAME.exec(text)?.groups ?? {};
  if (packageName === undefined || !packageName.split(":").every((part) => KEBAB_CASE.test(part)))
    return undefined;
  if (interfaceName !== undefined && !KEBAB_CASE.test(interfaceName)) return undefined;
  const semver = version === undefined ? undefined : parseVersion(version);
  return semver === null ? undefined : { kind: "package", packageName, interfaceName, version: semver };
}

export function dependencyNameMistake(text: string): Mistake | undefined {
  if (parseDependencyName(text)) return undefined;
  const message = `Invalid dependency name ${quote(text)}: expected "name" or "namespace:package/interface@version"`;
  return { code: "MANIFEST_DEPENDENCY", message };
}
