// Where this page is, and how it asks its session's server.

const { base, app, title, home } = document.documentElement.dataset;

export const place = { base, app, title, home };

export function address(path, query = {}) {
  const url = new URL(`${base}drybench/${path}`, location.href);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

/** {status, said}: what is no JSON, such as a proxy's page, says nothing. Rejects when nobody answers. */
export async function ask(method, path, { query, body, json, ...more } = {}) {
  const headers = fromHere();
  if (json) headers["Content-Type"] = "application/json";
  const response = await fetch(address(path, query), {
    method,
    headers,
    body: json ? JSON.stringify(json) : body,
    cache: "no-store",
    redirect: "manual", // to a sign-in page
    ...more,
  });
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  const signedOut = response.type === "opaqueredirect" || [401, 403].includes(response.status);
  return { status: response.status, signedOut, said: isJson ? await response.json() : null };
}

/** Below a Hub nothing is answered without, not even what is only read. The most specific cookie comes first. */
export function fromHere() {
  return { "X-XSRFToken": document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? "" };
}
