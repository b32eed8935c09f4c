// What was dropped: files, and folders with all that is in them.

import { say } from "./words.js";

const MOST = 5000; // files of a folder; more are better sent as one

/** {items: [{title, files: [{file, name}]}], refused: [sentence]}. The entries must be asked for before any wait. */
export async function dropped({ items: given, files }) {
  const entries = [...given].filter(({ kind }) => kind === "file").map((item) => item.webkitGetAsEntry?.());
  const items = [];
  const refused = [];
  for (const [number, entry] of entries.entries()) {
    if (!entry?.isDirectory) items.push(one(files[number]));
    else {
      const found = await inside(entry);
      if (found === null) refused.push(say("too-many", { name: entry.name, number: MOST }));
      else if (!found.length) refused.push(say("nothing", { name: entry.name }));
      else items.push({ title: say("folder", { name: entry.name, number: found.length }), files: found });
    }
  }
  return { items: items.filter(Boolean), refused };
}

const one = (file) => file && { title: file.name, files: [{ file, name: file.name }] };

/** All files of a folder, with their way from it; null where there are too many. */
async function inside(folder) {
  const found = [];
  const folders = [folder];
  while (folders.length) {
    for (const entry of await listed(folders.shift())) {
      if (entry.isDirectory) folders.push(entry);
      else found.push({ file: await new Promise((...told) => entry.file(...told)), name: entry.fullPath.slice(1) });
      if (found.length > MOST) return null;
    }
  }
  return found;
}

/** A browser gives them a hundred at a time. */
async function listed(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((...told) => reader.readEntries(...told));
    if (!some.length) return all;
    all.push(...some);
  }
}
