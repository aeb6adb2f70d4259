// Finds entries of live mounts, segment by segment, from a directory and never above it.
//
// Symbolic links are read and resolved here, and ".." goes back to a directory that was passed on the
// way: neither is left to the host, which would follow them anywhere.

import { type BigIntStats, lstatSync, readlinkSync, statSync } from "node:fs";

import { failure } from "./errno.ts";
import type { LinkPolicy } from "./filesystem.ts";
import type { HostDirectory, HostTree } from "./host-tree.ts";
import { type GuestPath, LINKS_FOLLOWED_MAX, parseGuestPath } from "./path.ts";

/** Directories within directories on one path: each is a descriptor of the host while the path is walked. */
const DEPTH_MAX = 256;

/** An entry in a directory that is held, or, without a name, that directory itself. */
export class Place implements Disposable {
  readonly name: string | undefined;
  readonly mustBeDirectory: boolean;
  readonly directory: HostDirectory;
  /** Directories that the walk holds, `directory` among them unless the walk has not left its start. */
  readonly #held: readonly HostDirectory[];

  constructor(entry: { name: string | undefined; mustBeDirectory: boolean }, walk: Walk) {
    this.name = entry.name;
    this.mustBeDirectory = entry.mustBeDirectory;
    this.directory = walk.here;
    this.#held = walk.passed;
  }

  /** Of the host. */
  get path(): string {
    return this.name === undefined ? this.directory.path : `${this.directory.path}/${this.name}`;
  }

  get isStart(): boolean {
    return this.name === undefined && this.#held.length === 0;
  }

  /** Of the entry itself, where that is a link. */
  stat(): BigIntStats {
    const stat = this.name === undefined ? statSync : lstatSync;
    return stat(this.path, { bigint: true });
  }

  exists(): boolean {
    return lstatSync(this.path, { throwIfNoEntry: false }) !== undefined;
  }

  [Symbol.dispose](): void {
    for (const directory of this.#held) directory.close();
  }
}

/** "entry": the last segment is never followed; "stay": only if it must be a directory. */
type LastLink = LinkPolicy | "entry";

/** One look-up: goes from a directory to the one that has the last entry of a path. */
export class Walk {
  readonly #tree: HostTree;
  readonly #start: HostDirectory;
  /** Below the start, the innermost last. */
  readonly passed: HostDirectory[] = [];
  #linksFollowed = 0;

  constructor(tree: HostTree, start: HostDirectory) {
    this.#tree = tree;
    this.#start = start;
  }

  get here(): HostDirectory {
    return this.passed.at(-1) ?? this.#start;
  }

  /** Fails with PERM for a path that leads out of the start, by "..", by a link, or by being absolute. */
  locate(path: string, last: LastLink): Place {
    try {
      return this.#walk(parseGuestPath(path), last);
    } catch (error) {
      for (const directory of this.passed) directory.close();
      throw error;
    }
  }

  #walk(path: GuestPath, last: LastLink): Place {
    const pending = path.segments.toReversed();
    let { mustBeDirectory } = path;
    for (let segment = pending.pop(); segment !== undefined; segment = pending.pop()) {
      if (segment === "..") {
        this.#goUp();
        continue;
      }
      const isLast = pending.length === 0;
      const follows = last === "follow" || (last === "stay" && mustBeDirectory);
      const target = isLast ? follows && this.#readLink(segment) : this.#goDown(segment);
      if (target) {
        if (isLast) mustBeDirectory ||= target.mustBeDirectory;
        pending.push(...target.segments.toReversed());
      } else if (isLast) {
        return new Place({ name: segment, mustBeDirectory }, this);
      }
    }
    return new Place({ name: undefined, mustBeDirectory: true }, this);
  }

  #goUp(): void {
    const left = this.passed.pop();
    if (!left) throw failure("PERM");
    left.close();
  }

  /** Where the entry is a link, stays and returns what it points to. */
  #goDown(segment: string): GuestPath | undefined {
    if (this.passed.length === DEPTH_MAX) throw failure("NAMETOOLONG");
    try {
      this.passed.push(this.#tree.openDirectory(`${this.here.path}/${segment}`));
      return undefined;
    } catch (error) {
      const target = isNotDirectory(error) && this.#readLink(segment);
      if (target) return target;
      throw error;
    }
  }

  /** What an entry points to; undefined if it is no link. */
  #readLink(segment: string): GuestPath | undefined {
    const path = `${this.here.path}/${segment}`;
    if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return undefined;
    if (++this.#linksFollowed > LINKS_FOLLOWED_MAX) throw failure("LOOP");
    return parseGuestPath(readlinkSync(path));
  }
}

function isNotDirectory(error: unknown): boolean {
  return (
    error === failure("NOTDIR") || (error instanceof Error && "code" in error && error.code === "ENOTDIR")
  );
}
