// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

/** What the whole page shares: the route, preferences, the live stream, and requests that repeat. */
import { createContext } from "preact";
import type { ComponentChildren } from "preact";
import { useCallback, useContext, useEffect, useRef, useState } from "preact/hooks";
import { get } from "./api.ts";
import type { Bulletin, Status } from "./api.ts";
import type { Zone } from "./format.ts";
import { address, parse } from "./route.ts";
import type { Route } from "./route.ts";

export type Theme = "auto" | "light" | "dark";

interface Shared {
  route: Route;
  zone: Zone;
  theme: Theme;
  status: Status | null;
  bulletin: Bulletin | null;
  connected: boolean;
  setZone(z: Zone): void;
  setTheme(t: Theme): void;
}

const Context = createContext<Shared>(null!);

export const useShared = (): Shared => useContext(Context);

/** Goes to an address; replace leaves no entry in the history. */
export function go(to: string, replace = false): void {
  history[replace ? "replaceState" : "pushState"](null, "", to);
  dispatchEvent(new PopStateEvent("popstate"));
}

/** Sets a part of the query of the address. */
export function setQuery(changes: Record<string, string | undefined>, replace = true): void {
  const query = { ...parse(location.pathname, location.search).query, ...changes };
  go(address(location.pathname, query), replace);
}

function remembered<T extends string>(key: string, fallback: T): T {
  try {
    return (localStorage.getItem("auspex." + key) as T | null) ?? fallback;
  } catch {
    return fallback; // storage is off
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem("auspex." + key, value);
  } catch {
    // storage is off
  }
}

export const recall = (key: string): string => remembered(key, "");

export function Provider({ children }: { children: ComponentChildren }) {
  const [route, setRoute] = useState(() => parse(location.pathname, location.search));
  const [zone, setZone] = useState<Zone>(() => remembered("zone", "local"));
  const [theme, setTheme] = useState<Theme>(() => remembered("theme", "auto"));
  const [status, setStatus] = useState<Status | null>(null);
  const [bulletin, setBulletin] = useState<Bulletin | null>(null);
  const [connected, setConnected] = useState(true);

  useEffect(() => {
    const moved = () => setRoute(parse(location.pathname, location.search));
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  useEffect(() => {
    const clicked = (e: MouseEvent) => {
      const link = (e.target as Element | null)?.closest?.("a");
      if (!link || e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
      if (link.origin !== location.origin || link.pathname.startsWith("/api/") || link.target || link.hasAttribute("download") || link.hash) return;
      e.preventDefault();
      go(link.pathname + link.search);
      scrollTo(0, 0);
      document.getElementById("main")?.focus({ preventScroll: true });
    };
    document.addEventListener("click", clicked);
    return () => document.removeEventListener("click", clicked);
  }, []);
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
    remember("theme", theme);
  }, [theme]);
  useEffect(() => remember("zone", zone), [zone]);
  useEffect(() => {
    const stream = new EventSource("/api/v1/stream");
    let closed: number | undefined;
    stream.onopen = () => setConnected(true);
    stream.onerror = () => {
      setConnected(false);
      // A refused stream (such as one too many) is not tried again by the browser.
      if (stream.readyState === EventSource.CLOSED) closed ??= window.setTimeout(() => location.reload(), 30_000);
    };
    stream.addEventListener("status", (e) => setStatus(JSON.parse(e.data) as Status));
    stream.addEventListener("incidents", (e) => setBulletin(JSON.parse(e.data) as Bulletin));
    return () => {
      clearTimeout(closed);
      stream.close();
    };
  }, []);
  return <Context.Provider value={{ route, zone, theme, status, bulletin, connected, setZone, setTheme }}>{children}</Context.Provider>;
}

export interface Loaded<T> {
  data: T | null;
  error: Error | null;
  /** Asks again at once. */
  again(): void;
}

/** Asks for a path, and again every so many milliseconds while the page is visible. What was answered stays until the next answer for the same key. */
export function useGet<T>(path: string | null, every = 0): Loaded<T> {
  const [state, setState] = useState<{ path: string | null; data: T | null; error: Error | null }>({ path, data: null, error: null });
  const ask = useRef<() => void>(() => {});
  useEffect(() => {
    if (path === null) return;
    let control: AbortController | undefined;
    let timer: number | undefined;
    const load = async () => {
      clearTimeout(timer);
      control?.abort();
      const mine = (control = new AbortController());
      try {
        const data = await get<T>(path, mine.signal);
        if (!mine.signal.aborted) setState({ path, data, error: null });
      } catch (e) {
        if (mine.signal.aborted) return;
        setState((s) => ({ path, data: s.path === path ? s.data : null, error: e as Error }));
      }
      if (every && !mine.signal.aborted) timer = window.setTimeout(next, every);
    };
    const next = () => (document.hidden ? (timer = window.setTimeout(next, every)) : void load());
    ask.current = () => void load();
    void load();
    return () => {
      clearTimeout(timer);
      control?.abort();
    };
  }, [path, every]);
  const again = useCallback(() => ask.current(), []);
  return state.path === path ? { data: state.data, error: state.error, again } : { data: null, error: null, again };
}
