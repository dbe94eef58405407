// Fakes for tests: as much of a browser as they need.

// FakeDocument dispatches events and finds the elements that a test gives it.
export class FakeDocument extends EventTarget {
  hidden = false;
  activeElement = null;
  byId = {};
  bySelector = {};

  getElementById(id) { return this.byId[id] ?? null; }
  querySelectorAll(selector) { return this.bySelector[selector] ?? []; }
  querySelector(selector) { return this.querySelectorAll(selector)[0] ?? null; }

  // send dispatches an event as if it had bubbled up from the target, and returns it.
  send(type, target = this, properties = {}) {
    const event = Object.assign(new Event(type, { cancelable: true }), properties);
    Object.defineProperty(event, "target", { value: target });
    this.dispatchEvent(event);
    return event;
  }
}

// fakePage installs a document for the modules under test, and a location that records what it is replaced with.
export function fakePage() {
  globalThis.document = new FakeDocument();
  globalThis.location = { pathname: "/stores", search: "?q=tea", visits: [], replace(url) { this.visits.push(url); } };
  return globalThis.document;
}

// fakeTime is a <time> element.
export function fakeTime(datetime, dataset = {}) {
  return {
    dataset, title: "", textContent: "",
    getAttribute: () => datetime,
    setAttribute(name, value) { if (name === "datetime") datetime = value; },
  };
}
