// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

/** The page of the console. */
import { render } from "preact";
import { useEffect } from "preact/hooks";
import "uplot/dist/uPlot.min.css";
import "./app.css";
import { Provider, useShared } from "./state.tsx";
import type { Theme } from "./state.tsx";
import { About } from "./views/about.tsx";
import { Backtests } from "./views/backtests.tsx";
import { Incident } from "./views/incident.tsx";
import { Logs } from "./views/logs.tsx";
import { Now } from "./views/now.tsx";
import { Pipelines } from "./views/pipelines.tsx";
import { OneSeries, SeriesList } from "./views/series.tsx";
import { Services } from "./views/services.tsx";
import { Silences } from "./views/silences.tsx";

const links = [
  ["/", "Now", ["now", "incident"]], ["/series", "Series", ["series", "one-series"]], ["/logs", "Logs", ["logs"]], ["/services", "Services", ["services"]],
  ["/pipelines", "Pipelines", ["pipelines"]], ["/silences", "Silences", ["silences"]], ["/backtests", "Backtests", ["backtests"]], ["/about", "About", ["about"]],
] as const;

const themes: [Theme, string][] = [["auto", "As the system"], ["light", "Light"], ["dark", "Dark"]];

function App() {
  const { route, zone, theme, bulletin, connected, setZone, setTheme } = useShared();
  const title = links.find(([, , views]) => (views as readonly string[]).includes(route.view))?.[1] ?? "Not found";
  const open = bulletin?.open_total ?? 0;
  useEffect(() => {
    document.title = (open ? "(" + open + ") " : "") + title + " – Auspex";
  }, [title, open]);
  return (
    <>
      <a class="skip" href="#main">Skip to the content</a>
      <header>
        <a class="brand" href="/"><img src="/icon.svg" alt="" width="24" height="24" />Auspex</a>
        <nav aria-label="Views">
          <ul>
            {links.map(([to, text, views]) => (
              <li key={to}><a href={to} aria-current={(views as readonly string[]).includes(route.view) ? "page" : undefined}>{text}{to === "/" && open > 0 && <span class="count" aria-label={open + " open incidents"}>{open}</span>}</a></li>
            ))}
          </ul>
        </nav>
        <div class="preferences">
          <label>Times <select value={zone} onChange={(e) => setZone(e.currentTarget.value === "utc" ? "utc" : "local")}><option value="local">local</option><option value="utc">UTC</option></select></label>
          <label>Theme <select value={theme} onChange={(e) => setTheme(e.currentTarget.value as Theme)}>{themes.map(([v, text]) => <option key={v} value={v}>{text}</option>)}</select></label>
        </div>
      </header>
      <p class={"connection" + (connected ? "" : " lost")} role="status">{connected ? "" : "The connection to the collector is lost. The page tries again."}</p>
      <main id="main" tabIndex={-1}><Page /></main>
    </>
  );
}

function Page() {
  const { route } = useShared();
  switch (route.view) {
    case "now": return <Now />;
    case "incident": return <Incident key={route.id} id={route.id} />;
    case "series": return <SeriesList />;
    case "one-series": return <OneSeries key={route.id} id={route.id} />;
    case "logs": return <Logs />;
    case "services": return <Services />;
    case "pipelines": return <Pipelines />;
    case "silences": return <Silences />;
    case "backtests": return <Backtests />;
    case "about": return <About />;
    case "missing": return <><h1>Not found</h1><p>There is nothing at this address. <a href="/">Back to the start</a></p></>;
  }
}

render(<Provider><App /></Provider>, document.getElementById("app")!);
