// One file, piece by piece: where the server says that it goes on, for as long as a cut lasts.

import { ask } from "./place.js";
import { say } from "./words.js";

const SMALLEST = 256 << 10;
const LARGEST = 8 << 20;
const BRISK = 400; // milliseconds for a piece; a quicker one is followed by a larger one
const SLOW = 1600;
const PAUSES = [500, 1000, 2000, 5000];

export class Refused extends Error {}

/** Resolves to where it lies. Rejects with Refused and a sentence, or when `signal` aborts. */
export async function send(file, name, { signal, begins, tell, waits }) {
  const id = newId();
  begins(id);
  let offset = 0;
  let length = SMALLEST * 2;
  let cuts = 0;
  for (;;) {
    const body = await read(file, offset, offset + length);
    const before = performance.now();
    const answer = await put({ name, offset, size: file.size, id }, body, signal);
    signal.throwIfAborted();
    if (answer === null) {
      waits();
      await pause(PAUSES[Math.min(cuts++, PAUSES.length - 1)], signal);
      continue;
    }
    cuts = 0;
    offset = answer.received;
    tell(offset);
    if (answer.path) return answer.path;
    length = nextLength(length, performance.now() - before);
  }
}

/** Null after a cut, or where what answers is a proxy without a session behind it. */
async function put(query, body, signal) {
  let answer;
  try {
    answer = await ask("PUT", "files", { query, body, signal });
  } catch {
    return null;
  }
  const { status, said, signedOut } = answer;
  if (typeof said?.received === "number") return said;
  if (said?.sentence) throw new Refused(`${said.sentence} ${said.next_step}`);
  if (signedOut) throw new Refused(say("signed-out"));
  if (status >= 500) return null;
  throw new Refused(say("refused"));
}

/** Here, and not by fetch, which would call a file that has gone a cut. */
async function read(file, start, end) {
  try {
    return await file.slice(start, end).arrayBuffer();
  } catch {
    throw new Refused(say("unreadable"));
  }
}

function nextLength(length, milliseconds) {
  if (milliseconds < BRISK) return Math.min(length * 2, LARGEST);
  return milliseconds > SLOW ? Math.max(length / 2, SMALLEST) : length;
}

/** Ends early when the network is back. */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const over = new AbortController();
    const end = () => {
      over.abort();
      resolve();
    };
    setTimeout(end, milliseconds);
    addEventListener("online", end, { signal: over.signal });
    signal.addEventListener("abort", end, { signal: over.signal });
  });
}

const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
