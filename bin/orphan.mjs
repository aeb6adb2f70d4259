// Ends a process whose parent has gone without a word. Plain JavaScript for any Node from 18 on.

/** The environment variable that tells a process which launcher waits for it. */
export const LAUNCHER = "SPINDLE_LAUNCHER";

/** How often to look whether the parent is still there. */
const ORPHAN_POLL_MS = 500;

/**
 * Calls `end` when the parent has gone without a word: a launcher that was killed, or the shell between npm and us, to
 * which npm passes a SIGTERM, and which ends of it alone. Other parents may go as they like, as `nohup` has it.
 *
 * A launcher may be gone before its child gets here, which then has another parent from the start.
 */
export function whenOrphaned(end) {
  const { npm_lifecycle_event: npm, [LAUNCHER]: launcher } = process.env;
  delete process.env[LAUNCHER];
  if (npm === undefined && launcher === undefined) return;
  const parent = launcher ?? String(process.ppid);
  const isOrphan = () => String(process.ppid) !== parent;
  if (isOrphan()) {
    end();
    return;
  }
  const timer = setInterval(() => {
    if (!isOrphan()) return;
    clearInterval(timer);
    end();
  }, ORPHAN_POLL_MS);
  timer.unref();
}
