// Times. The server writes them in UTC; the page shows them in local time and updates them.

import { setText } from "./dom.js";

export const seconds = 1000, minutes = 60 * seconds, hours = 60 * minutes, days = 24 * hours;

// clock writes a duration in minutes and seconds, such as 2:05.
export const clock = (ms) => `${Math.floor(ms / minutes)}:${String(Math.floor(ms / seconds) % 60).padStart(2, "0")}`;

// timeOf returns the time that a <time> element holds.
export const timeOf = (el) => new Date(el.getAttribute("datetime"));

const local = (options) => { const f = new Intl.DateTimeFormat("en-GB", options); return (t) => f.format(t).replace(",", ""); };
const full = local({ dateStyle: "medium", timeStyle: "medium" });
const day = local({ day: "numeric", month: "short" });
const short = local({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const hour = local({ hour: "2-digit", minute: "2-digit" });
const toTheSecond = local({ hour: "2-digit", minute: "2-digit", second: "2-digit" });

// toTheMillisecond writes the time of a log line.
export const toTheMillisecond = local({ hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });

// age writes how long ago a time was, and its date after a day.
export function age(t, now) {
  const ms = Math.max(0, now - t);
  if (ms >= days) return day(t);
  if (ms >= hours) return `${Math.floor(ms / hours)} h`;
  if (ms >= minutes) return `${Math.floor(ms / minutes)} min`;
  return `${Math.floor(ms / seconds)} s`;
}

export const ago = (t, now) => (now - t >= days ? day(t) : `${age(t, now)} ago`);

// until writes how far ahead a time is, and the time itself if that is a day or more.
export function until(t, now) {
  if (t - now >= days) return short(t);
  return t - now < minutes ? "soon" : `in ${age(now, t)}`;
}

// formats are the values of data-as.
const formats = { age, ago, until, clock: toTheSecond, hour, full, short };

// showTimes updates the times under root.
export function showTimes(root, now = Date.now()) {
  for (const el of root.querySelectorAll("time[data-as]")) {
    const t = timeOf(el);
    setText(el, formats[el.dataset.as](t, now));
    if (el.title !== full(t)) el.title = full(t);
  }
  for (const el of root.querySelectorAll("time[data-since]")) setText(el, clock(Math.max(0, now - timeOf(el))));
}
