// Requests of htmx: messages about failures, and no second request while the next page loads.

import { byId } from "./dom.js";
import { editedForm, isFilledIn } from "./forms.js";
import { isFromStream, leave, lost, visit } from "./live.js";

function showProblem(shown) {
  const problem = byId("problem");
  if (problem) problem.hidden = !shown;
}

function onError(event) {
  if (isFromStream(event)) lost();
  else showProblem(true);
}

// A form that was refused with 422 shows its own messages.
function onResponseError(event) {
  const { status } = event.detail.ctx.response;
  if (status === 401 || isFromStream(event)) leave(status);
  if (status === 401 && !isFromStream(event)) askToSignIn();
  else if (status !== 422) onError(event);
}

// A form that is being filled in stays after the session has ended. It can be sent after signing in in another tab.
function askToSignIn() {
  document.querySelectorAll("[data-signed-out]").forEach((el) => el.remove());
  const note = byId("signed-out").firstElementChild.cloneNode(true);
  note.dataset.signedOut = "";
  editedForm()?.prepend(note);
}

let leaving = false; // the server has sent a redirect, and the next page is loading

function beforeRequest(event) {
  showProblem(false);
  if (leaving) event.preventDefault();
}

function afterRequest(event) {
  const { response } = event.detail.ctx;
  leaving ||= response.headers.has("HX-Redirect");
  // The address of a search goes into the address bar, for reloads.
  if (event.target.matches?.("form[data-search]")) history.replaceState(history.state, "", response.raw.url);
}

// A page that comes back from the browser's cache may be out of date.
function onPageShow(event) {
  if (event.persisted && !isFilledIn()) visit();
}

export function listen() {
  document.addEventListener("htmx:error", onError);
  document.addEventListener("htmx:response:error", onResponseError);
  document.addEventListener("htmx:before:request", beforeRequest);
  document.addEventListener("htmx:after:request", afterRequest);
  addEventListener("pageshow", onPageShow);
}
