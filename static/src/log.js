// The log of a container. New lines are added at its end; lines over a limit are removed at its start.

import { byId, setText } from "./dom.js";
import { retryEvery } from "./live.js";
import { timeOf, toTheMillisecond } from "./times.js";

export const mostLines = 2000;

let log; // the log of the page, if it has one
let source; // its event stream
let retry; // the timer of the next connection

const show = (state) => { byId("log-foot").dataset.log = state; };

// isAtEnd reports whether the newest line is in view. A line or so may be missing.
export const isAtEnd = ({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight < 24;

const scrollToEnd = () => { log.scrollTop = log.scrollHeight; };

// follow connects the log of the page, if it is not the one that is connected.
export function follow() {
  if (log === byId("log")) return;
  disconnect();
  log = byId("log");
  if (!log) return;
  format(log.querySelectorAll("li"));
  scrollToEnd();
  log.addEventListener("scroll", () => { if (isAtEnd(log)) byId("log-newest")?.toggleAttribute("hidden", true); });
  if (log.dataset.stream) connect();
}

// connect opens the stream after the last line that was received.
function connect() {
  source = new EventSource(`${log.dataset.stream}&after=${encodeURIComponent(log.dataset.last)}`);
  source.onopen = () => show("on");
  source.onmessage = (event) => { log.dataset.last = event.lastEventId || log.dataset.last; addLines(event.data); };
  source.onerror = () => {
    show("retry");
    if (source.readyState === EventSource.CLOSED) retry = setTimeout(connect, retryEvery);
  };
}

function disconnect() { clearTimeout(retry); source?.close(); source = undefined; }

// addLines scrolls along at the end of the log. Elsewhere, the lines in view stay in place.
function addLines(html) {
  const list = log.querySelector("ol"), atEnd = isAtEnd(log), known = list.lastElementChild;
  list.insertAdjacentHTML("beforeend", html);
  const added = [];
  for (let li = known ? known.nextElementSibling : list.firstElementChild; li; li = li.nextElementSibling) added.push(li);
  format(added);
  const height = log.scrollHeight;
  while (list.childElementCount > mostLines) list.firstElementChild.remove();
  if (atEnd) scrollToEnd();
  else { log.scrollTop -= height - log.scrollHeight; byId("log-newest").hidden = false; }
  count();
}

export const isFound = (text, search) => text.toLowerCase().includes(search.toLowerCase());

// format writes the times of lines in local time and hides the lines that the search does not find.
function format(lines) {
  const search = byId("q").value;
  for (const li of lines) {
    const time = li.querySelector("time:not([title])");
    if (time) { time.title = time.getAttribute("datetime"); time.textContent = toTheMillisecond(timeOf(time)); }
    li.hidden = !isFound(li.querySelector(".m").textContent, search);
  }
}

function count() {
  const all = log.querySelectorAll("li").length, hidden = log.querySelectorAll("li[hidden]").length;
  setText(byId("log-count"), byId("q").value ? `${all - hidden} of ${all}` : "");
}

function update(event) {
  if (event.target.form?.id !== "log-form") return;
  if (event.target.name === "times") log.classList.toggle("no-times", !event.target.checked);
  if (event.target.name === "q") search();
}

function search() {
  const atEnd = isAtEnd(log);
  format(log.querySelectorAll("li"));
  if (atEnd) scrollToEnd();
  count();
}

// pause closes the stream, or opens it again.
export function pause(button) {
  const paused = button.getAttribute("aria-pressed") === "false";
  button.setAttribute("aria-pressed", String(paused));
  if (paused) { disconnect(); show("paused"); } else connect();
}

export function showNewest(button) { scrollToEnd(); button.hidden = true; log.focus(); }

export function listen() {
  document.addEventListener("input", update);
}
