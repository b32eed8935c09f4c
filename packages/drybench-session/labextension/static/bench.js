// The session's own server, which asks the bench: no token comes here.

import { PageConfig, ServerConnection, URLExt } from "./jupyterlab.js";

/** Whether this JupyterLab is in a session of a bench: its server half says so in the page. */
export const IN_A_SESSION = PageConfig.getOption("drybench") === "here";

export class Refusal extends Error {
  constructor({ sentence, message, next_step: step }) {
    super(sentence ?? message ?? "This session's server answered in a way that nobody foresaw.");
    this.step = step ?? "";
  }
}

export const here = () => ask("here");
export const inspect = (path) => ask("inspect", { path });
export const submit = (path, request, key) => ask("runs", { path, request, key });
/** What looks again and again is no sign that somebody works here. */
export const runs = () => ask("runs?no_track_activity=1");
export const run = (id) => ask(`runs/${id}?no_track_activity=1`);

async function ask(path, sent) {
  const settings = ServerConnection.makeSettings();
  const url = URLExt.join(settings.baseUrl, "drybench", path);
  const post = sent && { method: "POST", body: JSON.stringify(sent) };
  let response;
  try {
    response = await ServerConnection.makeRequest(url, post ?? {}, settings);
  } catch {
    throw new Refusal({
      sentence: "This session does not answer.",
      next_step: "Look on the bench's Home whether it still runs.",
    });
  }
  const said = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(said);
  return said;
}
