// The event stream: its state in the sidebar, and reloads while there is no stream.

import { byId } from "./dom.js";
import { editedForm, isFilledIn } from "./forms.js";
import { seconds, showTimes } from "./times.js";

export const retryEvery = 5 * seconds;
const grace = 1 * seconds; // a shorter interruption is not shown
const patience = 10 * seconds; // after this long without the stream the page is fetched

let lostAt = 0; // when the connection was lost; 0 while there is one
let reloading = false;

function show(state) {
  const el = byId("live");
  if (el) el.dataset.live = state;
}

export function connected() { lostAt = 0; show("on"); }

// lost notes that the connection is gone. A hidden page may lose it.
export function lost() { if (!document.hidden) lostAt ||= Date.now(); }

// isRetrying reports whether to show "retry". "off" stays until a reload succeeds.
export const isRetrying = (lostAt, shown, now) => lostAt > 0 && now - lostAt > grace && shown !== "off";

export function showRetry() {
  if (isRetrying(lostAt, byId("live")?.dataset.live, Date.now())) show("retry");
}

function showOffline() {
  const since = byId("live")?.querySelector("time");
  if (since) since.setAttribute("datetime", new Date(lostAt).toISOString());
  show("off");
  showTimes(document);
}

// isKept reports whether a reload would lose something: a secret, the answer to a form, or what is being typed.
const isKept = () => byId("main").contains(editedForm() ?? null) || document.querySelector("#main[data-keep], #main [data-keep]") !== null;

// visit loads the page with GET. location.reload() would repeat a POST.
export const visit = () => location.replace(location.pathname + location.search);

// isReloadDue reports whether the stream has been lost for too long.
export const isReloadDue = (state, now) => state.lostAt > 0 && !state.reloading && !state.hidden && now - state.lostAt >= patience;

// afterReload returns what to do with a fetched page: "visit" where it redirects to, "morph", or show "offline".
export function afterReload(response, path, kept) {
  const moved = response.redirected && new URL(response.url).pathname !== path;
  if (moved && !kept) return "visit";
  return moved || response.ok ? "morph" : "offline";
}

// reload fetches the page while there is no stream, and morphs it to keep what is being typed.
export async function reload() {
  if (!isReloadDue({ lostAt, reloading, hidden: document.hidden }, Date.now())) return;
  reloading = true;
  try {
    const response = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
    switch (afterReload(response, location.pathname, isKept())) {
      case "visit": visit(); break;
      case "morph": show("retry"); await morph(await response.text()); break;
      default: showOffline();
    }
  } catch { showOffline(); }
  reloading = false;
}

// morph updates the page. A page that must be kept only gets its notice about the cluster.
function morph(html) {
  const id = isKept() ? "cluster-notice" : "main";
  const part = new DOMParser().parseFromString(html, "text/html").getElementById(id);
  if (!part) return;
  return htmx.swap({ sourceElement: byId("stream"), target: byId(id), swap: "outerMorph", text: part.outerHTML });
}

// leave reloads the page when the session has ended or the store is gone, and the server answers with the reason.
// A form that is being filled in stays.
export function leave(status) {
  if ((status === 401 || status === 404) && !isFilledIn()) visit();
}

export const isFromStream = (event) => event.target.id === "stream";

export function listen() {
  document.addEventListener("htmx:sse:after:connection", (event) => { if (event.detail.connection.status < 400) connected(); });
  document.addEventListener("htmx:sse:before:message", connected);
  document.addEventListener("htmx:sse:close", lost);
  document.addEventListener("htmx:sse:before:connection", (event) => { if (event.detail.connection.attempt > 1) lost(); });
  document.addEventListener("htmx:sse:error", (event) => { lost(); leave(event.detail.status); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && lostAt) lostAt = Date.now(); });
}
