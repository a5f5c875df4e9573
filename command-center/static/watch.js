// Refreshes in place without moving what is being read, and ages what is not refreshed. Without this script the page is
// the same, as of its snapshot; "Refresh now" is a link.
(() => {
  const everyMs = 15_000;
  const main = document.getElementById("main");
  const told = document.getElementById("refresh-told");
  const toggle = document.getElementById("refresh-toggle");
  const now = document.getElementById("refresh-now");
  if (!main || !told || !toggle || !now) return;
  let on = document.body.dataset.refresh === "on";
  let lastSuccess = Date.now();
  let waiting = null;

  const clock = (at) => new Date(at).toISOString().slice(11, 19) + " UTC";
  const tell = (words) => {
    told.textContent = words;
  };
  const rowsOf = (root) => [...root.querySelectorAll("[data-row]")];
  const shapeOf = (root) =>
    rowsOf(root).map((row) => row.dataset.row).join("\n") + "\n" +
    [...root.querySelectorAll("h2[id]")].map((head) => head.id).join("\n");

  /** Somebody who selects, types or stands with the keyboard inside a row is reading it. */
  const isBusy = () => {
    const selection = getSelection();
    const selects = selection && !selection.isCollapsed && main.contains(selection.anchorNode);
    const active = document.activeElement;
    return Boolean(selects) || (active !== main && main.contains(active));
  };

  function takeBadges(page) {
    const [ours, theirs] = [document, page].map((root) => root.querySelector(".badges"));
    if (ours && theirs) ours.replaceWith(theirs);
  }

  /** The same rows in the same order: only what stands in them changes, and nothing moves by more than its own words. */
  function takeInPlace(fresh) {
    const theirs = rowsOf(fresh);
    rowsOf(main).forEach((row, i) => {
      if (row.innerHTML === theirs[i].innerHTML) return;
      row.className = theirs[i].className;
      row.innerHTML = theirs[i].innerHTML;
    });
    for (const kind of [".tiles", ".sources", ".count", ".facts", ".dag", ".plot"]) {
      const [a, b] = [main, fresh].map((root) => [...root.querySelectorAll(kind)]);
      if (a.length !== b.length) continue;
      a.forEach((part, i) => {
        if (part.innerHTML !== b[i].innerHTML) part.replaceWith(b[i]);
      });
    }
  }

  function offer(page, fresh) {
    waiting = { page, fresh };
    let news = document.querySelector(".news");
    if (!news) {
      news = document.createElement("div");
      news.className = "news";
      const words = document.createElement("span");
      words.setAttribute("role", "status");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Show it";
      button.addEventListener("click", take);
      news.append(words, button);
      document.body.append(news);
    }
    news.firstChild.textContent = `The list has changed since (${clock(Date.now())}).`;
  }

  function take() {
    if (!waiting) return;
    takeBadges(waiting.page);
    main.replaceChildren(...waiting.fresh.childNodes);
    document.querySelector(".news")?.remove();
    waiting = null;
    main.focus({ preventScroll: true });
    age();
  }

  async function refresh() {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), 10_000);
    try {
      const answer = await fetch(location.href, {
        signal: stop.signal,
        headers: { accept: "text/html" },
        redirect: "error",
      });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("main");
      if (!fresh) throw new Error("no page");
      lastSuccess = Date.now();
      if (shapeOf(fresh) !== shapeOf(main)) offer(page, fresh);
      else if (!isBusy()) {
        takeBadges(page);
        takeInPlace(fresh);
      }
      tell(`Last refreshed ${clock(lastSuccess)}.`);
    } catch (error) {
      tell(`Could not refresh (${error.message}). Last success ${clock(lastSuccess)}.`);
    } finally {
      clearTimeout(timer);
      age();
    }
  }

  /** What was live when the page was made is not live for ever: past its age it says stale, whoever reads it. */
  function age() {
    let aged = false;
    for (const part of document.querySelectorAll("[data-freshness='live']")) {
      const limit = Number(part.dataset.maxAge) * 1000;
      const observed = Date.parse(part.dataset.observedAt);
      if (!(Date.now() - observed > limit + 5000)) continue;
      aged = true;
      part.dataset.freshness = "stale";
      const word = part.querySelector(".freshness.live");
      if (word) {
        word.className = "freshness stale";
        word.textContent = "stale";
      }
    }
    if (aged) document.body.classList.add("aged");
    else if (!document.querySelector("[data-freshness='stale']")) {
      document.body.classList.remove("aged");
    }
    document.title = document.title.replace(/^(\(aged\) )?/, aged ? "(aged) " : "");
  }

  toggle.addEventListener("click", (event) => {
    event.preventDefault();
    on = !on;
    toggle.textContent = on ? "Stop refreshing" : "Refresh by itself";
    const address = new URL(location.href);
    if (on) address.searchParams.delete("refresh");
    else address.searchParams.set("refresh", "off");
    history.replaceState(null, "", address);
    tell(on ? "Refreshes every 15 seconds." : "Does not refresh by itself.");
  });
  now.addEventListener("click", (event) => {
    event.preventDefault();
    refresh();
  });
  tell(on ? "Refreshes every 15 seconds." : "Does not refresh by itself.");
  setInterval(() => {
    if (on && !document.hidden) refresh();
    else age();
  }, everyMs);
})();
