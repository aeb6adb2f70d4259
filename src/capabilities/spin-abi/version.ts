// Which of its two layouts, and which habits of its host, a guest of the legacy Spin ABI expects.
//
// Both generations have the same names and types, and nothing in a binary tells them apart. What a
// guest returns does, but an import can be called before it has returned anything. So the knowledge
// comes from, best first: the manifest, an answer that the guest gave, the code behind its import.

import { SpindleError } from "../../errors/mod.ts";
import type { Component } from "../../manifest/mod.ts";

/** A: Spin 0.1 to 0.3, every value in a slot of 8 bytes. B: Spin 0.4 to 1.5, canonical records. */
export type Generation = "A" | "B";

/** What hosts of one range of versions gave their guests. */
export interface SpinAbiVersion {
  readonly generation: Generation;
  /** Whether the URI of a request has its query. */
  readonly uri: "path" | "path-and-query";
  /** Whether the query is given in `params` too, decoded. */
  readonly params: "query" | "empty";
}

/** By the first version of Spin that had it (`crates/http/src/spin.rs` at v0.1.0, v0.2.0, v0.4.0, v0.5.0). */
const VERSIONS = {
  "0.1": { generation: "A", uri: "path", params: "query" },
  "0.2": { generation: "A", uri: "path-and-query", params: "query" },
  "0.4": { generation: "B", uri: "path-and-query", params: "query" },
  "0.5": { generation: "B", uri: "path-and-query", params: "empty" },
} as const satisfies Record<string, SpinAbiVersion>;

/** What is assumed of a guest of a generation. 0.2 has all that a guest of 0.1 could ask for. */
const ASSUMED = { A: VERSIONS["0.2"], B: VERSIONS["0.5"] } as const;

/** What is known of one component. It outlives calls, and learns from them. */
export class SpinAbi {
  readonly #isDeclared: boolean;
  #version: SpinAbiVersion;
  #isKnown: boolean;

  private constructor(declared: SpinAbiVersion | undefined) {
    this.#isDeclared = this.#isKnown = declared !== undefined;
    this.#version = declared ?? ASSUMED.B;
  }

  /** @throws SpindleError SPIN_ABI_UNKNOWN for a version in the manifest that is none */
  static of(component: Pick<Component, "id" | "tool">): SpinAbi {
    return new SpinAbi(declaredVersion(component));
  }

  /** What the host gives the guest. The last version is assumed until something says otherwise. */
  get version(): SpinAbiVersion {
    return this.#version;
  }

  /** The layout that the manifest declares; else each answer tells. */
  get declared(): Generation | undefined {
    return this.#isDeclared ? this.#version.generation : undefined;
  }

  /** Whether anything has told the generation yet. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Takes in what an answer or the code of the module told; the manifest knows better than both. */
  learn(generation: Generation): void {
    if (this.#isDeclared || (this.#isKnown && this.#version.generation === generation)) return;
    this.#isKnown = true;
    this.#version = ASSUMED[generation];
  }
}

/** Reads `[component.ID.tool.spindle] spin_abi = "0.1"`. */
function declaredVersion({ id, tool }: Pick<Component, "id" | "tool">): SpinAbiVersion | undefined {
  const options = tool.spindle;
  const isTable = typeof options === "object" && options !== null && !Array.isArray(options);
  const text = isTable && "spin_abi" in options ? options.spin_abi : undefined;
  if (text === undefined) return undefined;
  const found = Object.entries(VERSIONS).find(([name]) => name === text);
  if (found) return found[1];
  const known = Object.keys(VERSIONS).map((name) => `"${name}"`);
  throw new SpindleError(
    "SPIN_ABI_UNKNOWN",
    `Cannot choose the ABI of component "${id}": spin_abi is ${JSON.stringify(text)}`,
    {
      hint: `Write one of ${known.join(", ")}: the first version of Spin whose host the component was made for.`,
    },
  );
}
