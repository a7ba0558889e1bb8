// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

/** The view and its state, as the address of the page has them. Pure functions. */

export type View = "now" | "incident" | "series" | "one-series" | "logs" | "services" | "pipelines" | "silences" | "backtests" | "about" | "missing";

export interface Route {
  view: View;
  /** The id of the incident or series, or "". */
  id: string;
  query: Record<string, string>;
}

const lists: Record<string, View> = {
  "/": "now", "/incidents": "now", "/series": "series", "/logs": "logs", "/services": "services", "/pipelines": "pipelines", "/silences": "silences", "/backtests": "backtests", "/about": "about",
};

export function parse(path: string, search: string): Route {
  const query = Object.fromEntries(new URLSearchParams(search));
  const list = lists[path];
  if (list) return { view: list, id: "", query };
  const [, folder, id, ...rest] = path.split("/");
  if (id && rest.length === 0 && (folder === "incidents" || folder === "series")) {
    return { view: folder === "series" ? "one-series" : "incident", id: safeDecode(id), query };
  }
  return { view: "missing", id: "", query };
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Makes an address; empty values are left out. */
export function address(path: string, query: Record<string, string | undefined> = {}): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(query)) if (v) q.set(k, v);
  const text = q.toString();
  return text ? path + "?" + text : path;
}

/** Reads one of several allowed values from the address, else the first of them. */
export function choice<T extends string>(value: string | undefined, allowed: readonly [T, ...T[]]): T {
  return (allowed as readonly string[]).includes(value ?? "") ? (value as T) : allowed[0];
}
