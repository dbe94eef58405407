// What the pages gain when scripts run. Every page works without this file.

import { byId } from "./dom.js";
import * as forms from "./forms.js";
import * as live from "./live.js";
import * as log from "./log.js";
import * as menus from "./menus.js";
import * as requests from "./requests.js";
import { hideSecrets } from "./secrets.js";
import { seconds, showTimes } from "./times.js";

forms.listen();
live.listen();
requests.listen();
log.listen();
menus.listen({ copy: menus.copy, pauseLog: log.pause, newestLog: log.showNewest });

function tick() { showTimes(document); hideSecrets(); live.showRetry(); }

new MutationObserver(() => { showTimes(document); log.follow(); }).observe(document.body, { childList: true, subtree: true, characterData: true });
log.follow();
tick();
setInterval(tick, seconds);
setInterval(live.reload, live.retryEvery);
if (byId("stream")) live.lost();
