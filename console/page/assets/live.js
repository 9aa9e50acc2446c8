// Keeps an open page up to date: figures change in place, and where more has changed, the regions of the page are read
// again. Everything also works without this script.
"use strict";
(() => {
  const {topic, events} = document.body.dataset;
  if (!topic || !window.EventSource) return;
  const stale = document.getElementById("stale");
  let version = document.body.dataset.version, source, failures = 0, reading = false, again = false;

  const values = (all) => {
    for (const [name, text] of Object.entries(all || {})) {
      for (const el of document.querySelectorAll(`[data-live="${CSS.escape(name)}"]`)) {
        if (el.tagName === "PROGRESS") el.value = Number(text);
        else if (el.textContent !== text) el.textContent = text;
      }
    }
  };

  // Somebody who types or has a field focused in a region keeps it as it is until the next change.
  const busy = (region) => region.contains(document.activeElement) && /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);

  const read = async () => {
    if (reading) { again = true; return; }
    reading = true;
    let failed = false;
    try {
      const response = await fetch(location.href.split("#")[0], {headers: {"X-Live": "1"}, redirect: "error"});
      if (!response.ok) throw new Error(response.status);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (page.body.dataset.topic !== topic) { location.reload(); return; }
      const focused = document.activeElement && document.activeElement.id;
      const link = document.activeElement && document.activeElement.getAttribute("href");
      for (const region of document.querySelectorAll("[data-region]")) {
        const fresh = page.getElementById(region.id);
        if (!fresh || busy(region)) continue;
        const open = [...region.querySelectorAll("details")].map((d) => d.open);
        region.replaceChildren(...fresh.childNodes);
        region.querySelectorAll("details").forEach((d, i) => { d.open = !!open[i]; });
      }
      version = page.body.dataset.version;
      const back = focused ? document.getElementById(focused) : link && document.querySelector(`a[href="${CSS.escape(link)}"]`);
      if (back && document.activeElement === document.body) back.focus({preventScroll: true});
    } catch {
      failed = true;
    } finally {
      reading = false;
      if (failed) setTimeout(() => { if (!document.hidden) read(); }, 5000 + Math.random() * 5000);
      else if (again) setTimeout(read, 1000);
      again = false;
    }
  };

  const connect = () => {
    source = new EventSource(`${events}?topic=${encodeURIComponent(topic)}`);
    source.onopen = () => { failures = 0; stale.hidden = true; };
    source.onmessage = (message) => {
      const state = JSON.parse(message.data);
      values(state.values);
      // Pages of many people do not all come at the same moment.
      if (state.version !== version) setTimeout(read, Math.random() * 1500);
    };
    source.onerror = () => {
      if (++failures > 2) stale.hidden = false;
      if (source.readyState === EventSource.CLOSED) setTimeout(() => { if (!document.hidden) connect(); }, 10000 + Math.random() * 5000);
    };
  };

  // A page that nobody looks at costs nothing.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { source.close(); } else if (source.readyState === EventSource.CLOSED) { connect(); }
  });
  connect();
})();
