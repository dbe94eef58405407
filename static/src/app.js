// What the pages gain when scripts run. Every page works without this file.
(() => {
  "use strict";

  const seconds = 1000, minutes = 60 * seconds, hours = 60 * minutes, days = 24 * hours;
  const byId = (id) => document.getElementById(id);
  const setText = (el, text) => { if (el.textContent !== text) el.textContent = text; };
  const clock = (ms) => `${Math.floor(ms / minutes)}:${String(Math.floor(ms / seconds) % 60).padStart(2, "0")}`;
  const at = (el) => new Date(el.getAttribute("datetime"));

  // ---- Times: the server writes them in UTC; here they become local, and tick. ----

  const local = (options) => { const f = new Intl.DateTimeFormat("en-GB", options); return (t) => f.format(t).replace(",", ""); };
  const full = local({ dateStyle: "medium", timeStyle: "medium" });
  const day = local({ day: "numeric", month: "short" });
  const short = local({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const timeOfDay = local({ hour: "2-digit", minute: "2-digit" });
  const toTheSecond = local({ hour: "2-digit", minute: "2-digit", second: "2-digit" });

  function age(t) {
    const ms = Math.max(0, Date.now() - t);
    if (ms >= days) return day(t);
    if (ms >= hours) return `${Math.floor(ms / hours)} h`;
    if (ms >= minutes) return `${Math.floor(ms / minutes)} min`;
    return `${Math.floor(ms / seconds)} s`;
  }
  const ago = (t) => (Date.now() - t >= days ? day(t) : `${age(t)} ago`);
  const formats = { age, ago, clock: toTheSecond, hour: timeOfDay, full, short };

  function showTimes(root) {
    for (const el of root.querySelectorAll("time[data-as]")) {
      const t = at(el);
      setText(el, formats[el.dataset.as](t));
      if (el.title !== full(t)) el.title = full(t);
    }
    for (const el of root.querySelectorAll("time[data-since]")) setText(el, clock(Math.max(0, Date.now() - at(el))));
  }

  // ---- Live: what the sidebar says about the stream, and what happens without one. ----

  const retryEvery = 5 * seconds, grace = 1 * seconds, patience = 10 * seconds;
  let lostAt = 0, reloading = false;

  function say(state) {
    const el = byId("live");
    if (el) el.dataset.live = state;
  }

  function live() { lostAt = 0; say("on"); }

  function lost() { if (!document.hidden) lostAt ||= Date.now(); }

  // A connection that comes back at once is not worth a word.
  function sayLost() {
    if (lostAt && Date.now() - lostAt > grace && byId("live")?.dataset.live !== "off") say("retry");
  }

  function offline() {
    const since = byId("live")?.querySelector("time");
    if (since) since.setAttribute("datetime", new Date(lostAt).toISOString());
    say("off");
    showTimes(document);
  }

  // A page that shows something once, answers a form or is being filled in is not refreshed.
  let edited; // the form that was typed into last
  const isFilledIn = () => edited?.checkVisibility() ?? false;
  const keeps = () => byId("main").contains(edited ?? null) || document.querySelector("#main[data-keep], #main [data-keep]") !== null;
  document.addEventListener("input", (event) => { if (event.target.form?.method === "post") edited = event.target.form; });

  // The page is loaded by its address: location.reload() would send again a POST that the page answers.
  const visit = () => location.replace(location.pathname + location.search);

  // Without a stream the page is fetched anew, and morphed, so that what is being typed stays.
  async function reload() {
    if (!lostAt || reloading || document.hidden || Date.now() - lostAt < patience) return;
    reloading = true;
    try {
      const response = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
      const moved = response.redirected && new URL(response.url).pathname !== location.pathname;
      if (moved && !keeps()) visit();
      else if (moved || response.ok) { say("retry"); await morphMain(await response.text()); }
      else offline();
    } catch { offline(); }
    reloading = false;
  }

  function morphMain(html) {
    const id = keeps() ? "cluster-notice" : "main";
    const part = new DOMParser().parseFromString(html, "text/html").getElementById(id);
    if (!part) return;
    return htmx.swap({ sourceElement: byId("stream"), target: byId(id), swap: "outerMorph", text: part.outerHTML });
  }

  // Signed out, or the store is gone: the page itself says so, unless a form is being filled in.
  const leave = (status) => { if (!isFilledIn() && (status === 401 || status === 404)) visit(); };
  const ofStream = (event) => event.target.id === "stream";

  document.addEventListener("htmx:sse:after:connection", (event) => { if (event.detail.connection.status < 400) live(); });
  document.addEventListener("htmx:sse:before:message", live);
  document.addEventListener("htmx:sse:close", lost);
  document.addEventListener("htmx:sse:before:connection", (event) => { if (event.detail.connection.attempt > 1) lost(); });
  document.addEventListener("htmx:sse:error", (event) => { lost(); leave(event.detail.status); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && lostAt) lostAt = Date.now(); });

  // ---- Requests that failed say so; only a refused form (422) is shown by the server itself. ----

  function complain(event) {
    if (ofStream(event)) return lost();
    const problem = byId("problem");
    if (problem) problem.hidden = false;
  }
  document.addEventListener("htmx:error", complain);
  document.addEventListener("htmx:response:error", (event) => {
    const { status } = event.detail.ctx.response;
    if (status === 401 || ofStream(event)) leave(status);
    if (status === 401 && !ofStream(event)) askToSignIn();
    else if (status !== 422) complain(event);
  });

  // A form that is being filled in stays when the session has ended: signing in in another tab is enough.
  function askToSignIn() {
    forgetToAsk();
    const note = byId("signed-out").firstElementChild.cloneNode(true);
    note.dataset.signedOut = "";
    edited?.prepend(note);
  }
  const forgetToAsk = () => document.querySelectorAll("[data-signed-out]").forEach((el) => el.remove());

  document.addEventListener("htmx:before:request", () => { const problem = byId("problem"); if (problem) problem.hidden = true; });

  // A page that is being left sends nothing more: a second press must not do a thing twice.
  // One that comes back from the browser's memory may show what is over, and is fetched anew.
  let leaving = false;
  document.addEventListener("htmx:after:request", (event) => { leaving ||= event.detail.ctx.response.headers.has("HX-Redirect"); });
  document.addEventListener("htmx:before:request", (event) => { if (leaving) event.preventDefault(); });
  addEventListener("pageshow", (event) => { if (event.persisted && !isFilledIn()) visit(); });

  // So does a plain form: a press that comes right after another one is dropped.
  const sent = new WeakSet();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (sent.has(form)) { event.preventDefault(); return; }
    sent.add(form);
    setTimeout(() => sent.delete(form), 3 * seconds);
  });

  // A search that was typed becomes the page's address, so that reloading keeps it.
  document.addEventListener("htmx:after:request", (event) => {
    if (event.target.matches?.("form[data-search]")) history.replaceState(history.state, "", event.detail.ctx.response.raw.url);
  });

  // ---- Dialogs: a form that leads to a page opens the page's dialog instead, if there is one. ----

  document.addEventListener("submit", (event) => {
    const dialog = byId(event.target.dataset.dialog);
    if (!dialog?.showModal) return;
    event.preventDefault();
    dialog.showModal();
    const form = dialog.querySelector("form[action]");
    for (const [name, value] of new FormData(event.target)) carry(form?.elements[name], value);
    form?.querySelector("input:not([type=hidden])")?.focus();
  });

  // A dialog whose form had to be fetched gives it the focus when it is there.
  document.addEventListener("htmx:after:swap", (event) => {
    const dialog = event.detail.ctx.target?.closest?.("dialog[open]");
    if (dialog && !dialog.contains(document.activeElement?.closest("input"))) dialog.querySelector("form[action] input:not([type=hidden])")?.focus();
  });

  function carry(field, value) {
    if (!field || !value) return;
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // ---- A log: what is written meanwhile comes at its end, and as many lines go at the other. ----

  const mostLines = 2000;
  let log, logSource, again;

  const atNewest = () => log.scrollHeight - log.scrollTop - log.clientHeight < 24;
  const sayLog = (state) => { byId("log-foot").dataset.log = state; };

  function followLog() {
    if (log === byId("log")) return;
    leaveLog();
    log = byId("log");
    if (!log) return;
    dress(log.querySelectorAll("li"));
    log.scrollTop = log.scrollHeight;
    log.addEventListener("scroll", () => { if (atNewest()) byId("log-newest")?.toggleAttribute("hidden", true); });
    if (log.dataset.stream) connectLog();
  }

  // Where it was broken off it goes on: the server is told which line came last.
  function connectLog() {
    logSource = new EventSource(`${log.dataset.stream}&after=${encodeURIComponent(log.dataset.last)}`);
    logSource.onopen = () => sayLog("on");
    logSource.onmessage = (event) => { log.dataset.last = event.lastEventId || log.dataset.last; addLines(event.data); };
    logSource.onerror = () => {
      sayLog("retry");
      if (logSource.readyState === EventSource.CLOSED) again = setTimeout(connectLog, retryEvery);
    };
  }

  function leaveLog() { clearTimeout(again); logSource?.close(); logSource = undefined; }

  // Who looks at older lines keeps them where they are.
  function addLines(html) {
    const list = log.querySelector("ol"), follows = atNewest(), known = list.lastElementChild;
    list.insertAdjacentHTML("beforeend", html);
    const added = [];
    for (let li = known ? known.nextElementSibling : list.firstElementChild; li; li = li.nextElementSibling) added.push(li);
    dress(added);
    const height = log.scrollHeight;
    while (list.childElementCount > mostLines) list.firstElementChild.remove();
    if (follows) log.scrollTop = log.scrollHeight;
    else { log.scrollTop -= height - log.scrollHeight; byId("log-newest").hidden = false; }
    countLines();
  }

  const logTime = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });

  // Times become local, and what is not searched for is hidden.
  function dress(lines) {
    const wanted = byId("q").value.toLowerCase();
    for (const li of lines) {
      const time = li.querySelector("time:not([title])");
      if (time) { time.title = time.getAttribute("datetime"); time.textContent = logTime.format(at(time)); }
      li.hidden = !li.querySelector(".m").textContent.toLowerCase().includes(wanted);
    }
  }

  function countLines() {
    const all = log.querySelectorAll("li").length, hidden = log.querySelectorAll("li[hidden]").length;
    setText(byId("log-count"), byId("q").value ? `${all - hidden} of ${all}` : "");
  }

  document.addEventListener("input", (event) => {
    if (event.target.form?.id !== "log-form") return;
    if (event.target.name === "times") log.classList.toggle("no-times", !event.target.checked);
    if (event.target.name === "q") {
      const follows = atNewest();
      dress(log.querySelectorAll("li"));
      if (follows) log.scrollTop = log.scrollHeight;
      countLines();
    }
  });

  // ---- Clicks ----

  const actions = {
    pauseLog(button) {
      const pause = button.getAttribute("aria-pressed") === "false";
      button.setAttribute("aria-pressed", String(pause));
      if (pause) { leaveLog(); sayLog("paused"); } else connectLog();
    },
    newestLog(button) { log.scrollTop = log.scrollHeight; button.hidden = true; log.focus(); },
    async copy(button) {
      if (!await copied(byId(button.dataset.copy))) return;
      button.dataset.copied = "";
      setTimeout(() => delete button.dataset.copied, 2 * seconds);
    },
  };

  // Browsers have no clipboard for pages over plain http. There the text is selected, too, so that
  // it can be copied by hand.
  async function copied(el) {
    try {
      await navigator.clipboard.writeText(el.textContent.trim());
      return true;
    } catch {
      getSelection().selectAllChildren(el);
      return document.execCommand("copy");
    }
  }

  const openMenus = () => document.querySelectorAll("details.dropdown[open]");

  // A press beside a dialog closes it; text selected in it by dragging may end there too.
  let pressed;
  document.addEventListener("pointerdown", (event) => { pressed = event.target; });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (button) { event.preventDefault(); actions[button.dataset.act](button); return; }
    if (event.target.matches("dialog") && pressed === event.target) event.target.close();
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  });

  function closeMenu(menu) {
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") openMenus().forEach(closeMenu);
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
    const search = byId("q");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  });

  // ---- Create: the address follows the name while it is typed; the server has the last word. ----

  const letters = { ä: "ae", ö: "oe", ü: "ue", ß: "ss", æ: "ae", ø: "o", å: "a", œ: "oe", "&": " and " };
  const slug = (name) => name.toLowerCase().replace(/[äöüßæøåœ&]/g, (c) => letters[c]).normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40).replace(/-+$/, "");

  document.addEventListener("input", (event) => {
    if (event.target.name !== "name" || !event.target.form?.elements.slug) return;
    const preview = byId("address-preview");
    if (preview && !event.target.form.elements.slug.value) setText(preview, slug(event.target.value) || "your-shop");
  });

  // The currency follows the country, until another is chosen.
  document.addEventListener("change", (event) => {
    const currency = event.target.name === "country" && event.target.form?.elements.currency;
    if (currency) currency.value = event.target.selectedOptions[0].dataset.currency;
  });

  // ---- Secrets hide again. ----

  function hideSecrets() {
    for (const el of document.querySelectorAll("[data-hide-after]")) {
      el.dataset.hideAt ||= String(Date.now() + Number(el.dataset.hideAfter) * seconds);
      const left = Number(el.dataset.hideAt) - Date.now();
      setText(el, `hidden again in ${clock(Math.max(0, left))}`);
      if (left <= 0) forget(el);
    }
  }

  // What was shown goes at once, even when the server cannot be asked for the hidden panel.
  function forget(el) {
    el.removeAttribute("data-hide-after");
    setText(el, "");
    for (const secret of document.querySelectorAll("[data-secret]")) setText(secret, "hidden");
    byId("hide-credentials")?.click();
  }

  function tick() { showTimes(document); hideSecrets(); sayLost(); }

  new MutationObserver(() => { showTimes(document); followLog(); }).observe(document.body, { childList: true, subtree: true, characterData: true });
  followLog();
  tick();
  setInterval(tick, seconds);
  setInterval(reload, retryEvery);
  if (byId("stream")) lost();
})();
