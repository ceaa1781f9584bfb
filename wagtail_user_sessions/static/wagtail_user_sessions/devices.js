/* What htmx 2 and htmx 4 leave to do on the list of devices. Without this file, and
   without JavaScript, the list's forms send whole pages. */
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
  // Of the swap under way: whether the list had the focus, and whether to scroll to it.
  let hadFocus = false;
  let scrolls = true;
  // Whose failure is on show: that of an "action", of a "refresh", or none.
  let failed = "";

  // Obstacles that the console has been told of.
  const told = new Set();

  const byId = (id) => document.getElementById(id);
  const isOurs = (event) => event.target.closest?.(ROOT);
  const isRefresh = (elt) => elt?.id === "wus-refresh";

  // What the list needs and this page's htmx lacks; "" if nothing. The list then sends
  // whole pages, as htmx would put them into the wrong places.
  function obstacle(root) {
    if (!window.htmx) return "";
    const { config, version = "an unknown version" } = window.htmx;
    if (/^2\./.test(version)) return "";
    if (!/^4\./.test(version)) return `htmx 2 or 4, but this page has ${version}`;
    if ((config.metaCharacter || ":") !== ":") return 'htmx\'s metaCharacter to be ":"';
    if (config.implicitInheritance || root.hasAttribute("hx-target:inherited")) return "";
    return "hx-target:inherited and its like in partials/device_list.html, for htmx 4";
  }

  function avoidObstacle(event) {
    const root = event.target.closest?.(ROOT);
    if (root && obstacle(root)) event.stopPropagation();
  }

  function tellObstacles() {
    for (const root of document.querySelectorAll(ROOT)) {
      const needs = obstacle(root);
      if (!needs || told.has(needs)) continue;
      told.add(needs);
      console.error(`The list of devices loads whole pages: it needs ${needs}.`);
    }
  }

  // A site may have an htmx of its own. One that comes before the page has been
  // loaded would miss its own start.
  function loadHtmx(src) {
    tellObstacles();
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
    if (obstacle(list.closest(ROOT))) return;
    // Not while somebody writes a name.
    if (list.querySelector(`${OPEN} input:not([type=hidden])`)) return;
    window.htmx.trigger(byId("wus-refresh"), "wus:refresh");
  }

  function say(...nodes) {
    byId("wus-message").replaceChildren(...nodes);
  }

  // It goes to what the answer names, or else stays: htmx has given it back to
  // what has the same id, but that may have gone with a device.
  function placeFocus() {
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

  // Return whether the answer may be put into the page.
  function acceptSwap({ target, elt, status, text }) {
    // The list tells of its failures itself, whatever else the site does with errors.
    if (status >= 400 && elt?.closest(ROOT)) return false;
    if (target?.id !== "wus-list") return true;
    hadFocus = target.contains(document.activeElement);
    scrolls = !isRefresh(elt);
    // The browser would scroll along with the list that goes.
    target.closest(ROOT)?.style.setProperty("overflow-anchor", "none");
    if (IS_LIST.test(text)) return true;
    // A page that a redirect led to, such as that of a login, isn't the list.
    location.reload();
    return false;
  }

  function afterSwap() {
    remember();
    placeFocus();
  }

  function showFailure({ elt, verb }) {
    const failure = document.querySelector(`${ROOT} [data-wus-failure]`);
    say(failure.content.cloneNode(true));
    if (!isRefresh(elt)) failed = "action";
    else failed ||= "refresh";
    // If the session has ended, this leads to the login page.
    if (verb.toLowerCase() !== "get") setTimeout(refresh);
  }

  function clearFailure({ elt }) {
    // What an action failed to do isn't done by a refresh.
    if (isRefresh(elt) && failed === "action") return;
    if (isRefresh(elt) && failed) say();
    failed = "";
  }

  function restoreHistory(event) {
    if (!listPaths.has(event.detail.path.split("?")[0])) return;
    event.preventDefault();
    location.reload();
  }

  // Both have an "htmx:error", and an extension of htmx 4 sends the events of htmx 2 as
  // well. Only those of htmx 4 have a context.
  function onHtmx2(name, listener) {
    document.addEventListener(name, (event) => event.detail.ctx || listener(event));
  }

  onHtmx2("htmx:beforeSwap", (event) => {
    const { target, shouldSwap, xhr, requestConfig } = event.detail;
    if (!shouldSwap) return;
    const { status, response: text } = xhr;
    event.detail.shouldSwap = acceptSwap(
      { target, elt: requestConfig?.elt, status, text },
    );
  });
  onHtmx2("htmx:afterSettle", afterSwap);
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    onHtmx2(name, (event) => isOurs(event) && showFailure(event.detail.requestConfig));
  }
  onHtmx2("htmx:afterRequest", (event) => {
    if (isOurs(event) && event.detail.successful) clearFailure(event.detail.requestConfig);
  });
  document.addEventListener("htmx:historyCacheMiss", restoreHistory);

  function onHtmx4(name, listener) {
    document.addEventListener(name, (event) => {
      const { ctx, error } = event.detail;
      if (!ctx) return;
      listener(event, { elt: ctx.sourceElement, verb: ctx.request.method, ctx, error });
    });
  }

  document.addEventListener("htmx:before:process", tellObstacles);
  onHtmx4("htmx:before:swap", (event, { elt, ctx }) => {
    const { target, text, response, swap } = ctx;
    if (swap === "none" || !response) return;
    if (!acceptSwap({ target, elt, status: response.status, text })) event.preventDefault();
  });
  onHtmx4("htmx:after:swap", afterSwap);
  onHtmx4("htmx:response:error", (event, request) => isOurs(event) && showFailure(request));
  onHtmx4("htmx:error", (event, { error, ...request }) => {
    // A refresh that gives way to an action.
    if (isRefresh(request.elt) && error.name === "AbortError") return;
    if (isOurs(event)) showFailure(request);
  });
  onHtmx4("htmx:after:request", (event, { ctx, elt }) => {
    if (isOurs(event) && ctx.response.status < 400) clearFailure({ elt });
  });
  document.addEventListener("htmx:before:history:restore", restoreHistory);

  for (const name of ["click", "submit"]) {
    document.addEventListener(name, avoidObstacle, true);
  }

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
