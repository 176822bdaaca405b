(() => {
  "use strict";
  const live = document.getElementById("live"), said = document.getElementById("said"), form = document.getElementById("stop");
  const say = (words, odd) => {
    said.textContent = words;
    said.classList.toggle("gone", !words);
    said.classList.toggle("odd", !!odd);
  };
  // patch makes a tree like another one and leaves what is alike, so that what is selected, scrolled or focused stays.
  const patch = (old, fresh) => {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
    if (old.nodeType === Node.TEXT_NODE) { if (old.data !== fresh.data) old.data = fresh.data; return; }
    for (const name of old.getAttributeNames()) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const name of fresh.getAttributeNames()) if (old.getAttribute(name) !== fresh.getAttribute(name)) old.setAttribute(name, fresh.getAttribute(name));
    const was = [...old.childNodes], now = [...fresh.childNodes];
    now.forEach((node, i) => (i < was.length ? patch(was[i], node) : old.append(node)));
    was.slice(now.length).forEach((node) => node.remove());
  };
  const show = (event) => {
    const fresh = document.createElement("div");
    fresh.id = "live";
    fresh.className = live.className;
    fresh.innerHTML = event.data;
    patch(live, fresh);
    document.title = live.querySelector("[data-title]").dataset.title;
  };
  const source = new EventSource("events");
  let silent = false; // what else was said stays, so that it can be read
  source.addEventListener("message", (event) => {
    if (silent) say("");
    silent = false;
    show(event);
  });
  source.addEventListener("over", (event) => {
    source.close();
    show(event);
    say("The run is over: " + document.title + ". This page stays as it is.");
    document.getElementById("control")?.classList.add("gone");
  });
  source.addEventListener("error", () => {
    silent = true;
    say("agstest does not answer any more. This is how the run stood at " + new Date().toLocaleTimeString() + "; it is asked again.", true);
  });
  if (form) {
    const token = new URLSearchParams(location.hash.slice(1)).get("stop"); // a part of the address that no server is told
    if (token) {
      form.elements.token.value = token;
      history.replaceState(null, "", location.pathname);
    }
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const body = new URLSearchParams({ token: form.elements.token.value, script: "1" });
      try {
        const answer = await fetch("/stop", { method: "POST", body });
        say(answer.ok ? "The run is stopping." : "Not stopped: " + (await answer.text()).trim(), !answer.ok);
      } catch {
        say("Not stopped: agstest does not answer.", true);
      }
    });
  }
})();
