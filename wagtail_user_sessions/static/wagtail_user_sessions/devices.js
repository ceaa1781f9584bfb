/* What htmx leaves to do on the list of devices. Without this file, and without
   JavaScript, the list's forms send whole pages. */
(() => {
  "use strict";

  if (window.wagtailUserSessions) return;
  window.wagtailUserSessions = true;

  const ROOT = "[data-wus]";
  const OPEN = "[data-wus-open]";
  // Some tools that make pages smaller take the quotes away.
  const IS_LIST = /\bid=["']?wus-list\b/;

  // The paths of lists, which must not be taken from htmx's history.
  const listPaths = new Set();
  let hadFocus = false;
  // Whose failure is on show: that of an "action", of a "refresh", or none.
  let failed = "";

  const byId = (id) => document.getElementById(id);
  const isOurs = (event) => event.target.closest?.(ROOT);
  const isRefresh = (event) => event.detail.requestConfig?.elt.id === "wus-refresh";

  // A site may have an htmx of its own. One that comes before the page has been
  // loaded would miss its own start.
  function loadHtmx(src) {
    if (window.htmx || !src) return;
    if (!document.querySelector("meta[name=htmx-config]")) {
      const meta = document.createElement("meta");
      meta.name = "htmx-config";
      // What the strictest Content-Security-Policy would refuse.
      meta.content = '{"allowEval": false, "includeIndicatorStyles": false}';
      document.head.append(meta);
    }
    const script = document.createElement("script");
    script.src = src;
    document.head.append(script);
  }

  function refresh() {
    const list = byId("wus-list");
    if (!list || !window.htmx || document.visibilityState !== "visible") return;
    // Not while somebody writes a name.
    if (list.querySelector(`${OPEN} input:not([type=hidden])`)) return;
    window.htmx.trigger(byId("wus-refresh"), "wus:refresh");
  }

  function say(...nodes) {
    byId("wus-message").replaceChildren(...nodes);
  }

  // It goes to what the answer names, or else stays: htmx has given it back to
  // what has the same id, but that may have gone with a device.
  function placeFocus({ scrolls }) {
    const named = document.querySelector(`${ROOT} [data-wus-focus]`);
    // Once: other parts of the page may settle later.
    named?.removeAttribute("data-wus-focus");
    const active = document.activeElement;
    const kept = active === document.body ? byId("wus-summary") : active;
    const element = named ?? (hadFocus ? kept : null);
    hadFocus = false;
    if (!element) return;
    element.focus({ preventScroll: true });
    const { top, bottom } = element.getBoundingClientRect();
    const isInView = top >= 0 && bottom <= window.innerHeight;
    if (scrolls && !isInView) element.scrollIntoView({ block: "nearest" });
  }

  function remember() {
    if (byId("wus-list")) listPaths.add(location.pathname);
  }

  document.addEventListener("visibilitychange", refresh);
  // A page that the browser has kept may show what has ended since.
  window.addEventListener("pageshow", (event) => event.persisted && refresh());

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, shouldSwap, xhr } = event.detail;
    if (target?.id !== "wus-list" || !shouldSwap) return;
    hadFocus = target.contains(document.activeElement);
    // The browser would scroll along with the list that goes.
    target.closest(ROOT)?.style.setProperty("overflow-anchor", "none");
    if (IS_LIST.test(xhr.response)) return;
    // A page that a redirect led to, such as that of a login, isn't the list.
    event.detail.shouldSwap = false;
    location.reload();
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    remember();
    placeFocus({ scrolls: !isRefresh(event) });
  });

  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      if (!isOurs(event)) return;
      const failure = document.querySelector(`${ROOT} [data-wus-failure]`);
      say(failure.content.cloneNode(true));
      if (!isRefresh(event)) failed = "action";
      else failed ||= "refresh";
      // If the session has ended, this leads to the login page.
      if (event.detail.requestConfig.verb !== "get") setTimeout(refresh);
    });
  }

  document.addEventListener("htmx:afterRequest", (event) => {
    if (!isOurs(event) || !event.detail.successful) return;
    // What an action failed to do isn't done by a refresh.
    if (isRefresh(event) && failed === "action") return;
    if (isRefresh(event) && failed) say();
    failed = "";
  });

  document.addEventListener("htmx:historyCacheMiss", (event) => {
    if (!listPaths.has(event.detail.path.split("?")[0])) return;
    event.preventDefault();
    location.reload();
  });

  // The second click of two was meant for what stood there before.
  document.addEventListener("click", (event) => {
    if (event.detail < 2 || !event.target.closest?.(`${OPEN} :is(a, button)`)) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || !isOurs(event)) return;
    const cancel = event.target.closest(OPEN)?.querySelector("[data-wus-cancel]");
    // Focused, it hands the focus on to the button that has its id.
    cancel?.focus();
    cancel?.click();
  });

  remember();
  const src = document.currentScript.dataset.htmx;
  if (document.readyState === "complete") loadHtmx(src);
  else window.addEventListener("load", () => loadHtmx(src));
})();
