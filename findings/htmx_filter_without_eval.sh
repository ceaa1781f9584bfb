#!/usr/bin/env bash
# htmx 2.0.11: under a Content-Security-Policy without 'unsafe-eval' a filtered trigger fires at every event.
#
# Expected: nothing happens. Of a filter, "if this expression evaluates to true the event will be triggered, otherwise
#   it will be ignored. Standard event filters require eval" (htmx, attributes/hx-trigger.md), and
#   htmx.config.allowEval=false will "disable all features of htmx that rely on eval: event filters, …" (docs.md). An
#   expression that can't be evaluated isn't true. htmx itself holds so where an expression fails as it runs.
# Seen: where the expression can't be compiled, the filter is left out and the trigger stays. A click without Ctrl
#   sends what click[ctrlKey] should send, and "every 200ms [document.visibilityState == 'hidden']" asks all the time
#   in a visible page. The same with allowEval=false, where a filter that always says yes takes its place. A filter
#   that raises an error as it runs stops the event in the page without the policy, and lets it pass in the others.
# Why it matters: a list of devices that asks "only while it is looked at" asks for ever in a hidden tab once the
#   site gets a strict policy, and where requests count as activity its session never becomes idle. Only the browser's
#   console tells of it.
set -euo pipefail
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$chromium" ] || ! command -v npm >/dev/null; then
  echo "This needs npm and Chromium on PATH." >&2
  exit 2
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --prefix "$folder" --silent --no-audit --no-fund htmx.org@2.0.11 playwright-core@1.65.1 >/dev/null
cat >"$folder/run.js" <<'JS'
const fs = require("fs");
const http = require("http");
const { chromium } = require("playwright-core");

const htmx = fs.readFileSync(require.resolve("htmx.org/dist/htmx.js"));
const body = `<script src="/htmx.js"></script>
<p hx-get="/poll" hx-trigger="every 200ms [document.visibilityState == 'hidden']"></p>
<button id="ctrl" hx-get="/ctrl" hx-trigger="click[ctrlKey]">ctrl</button>
<button id="broken" hx-get="/broken" hx-trigger="click[missing.thing]">broken</button>
<button id="plain" hx-get="/plain">plain</button>`;
const pages = {
  "/no-policy": [{}, ""],
  "/strict-policy": [{ "Content-Security-Policy": "default-src 'self'; style-src 'unsafe-inline'" }, ""],
  "/allow-eval-false": [{}, `<meta name="htmx-config" content='{"allowEval": false}'>`],
};
let seen;
const server = http.createServer((request, response) => {
  const [headers, meta] = pages[request.url] || [{}, ""];
  if (request.url === "/htmx.js") return response.writeHead(200, { "Content-Type": "text/javascript" }).end(htmx);
  response.writeHead(200, { "Content-Type": "text/html", ...headers });
  if (request.url in pages) return response.end(`<!doctype html>${meta}${body}`);
  seen.add(request.url);
  response.end("");
});
server.listen(0, "127.0.0.1", async () => {
  const browser = await chromium.launch({ executablePath: process.argv[2], args: ["--no-sandbox", "--disable-gpu"] });
  for (const url of Object.keys(pages)) {
    seen = new Set();
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}${url}`);
    for (const id of ["ctrl", "broken", "plain"]) await page.click(`#${id}`);
    await page.waitForTimeout(1500);
    const visible = await page.evaluate(() => document.visibilityState);
    await page.close();
    seen.delete("/favicon.ico");
    console.log(url.slice(1), `(${visible}):`, [...seen].sort().join(" "));
  }
  await browser.close();
  server.close();
});
JS
seen=$(cd "$folder" && HOME="$folder" node run.js "$chromium")
echo "$seen"
expected="no-policy (visible): /plain
strict-policy (visible): /broken /ctrl /plain /poll
allow-eval-false (visible): /broken /ctrl /plain /poll"
[ "$seen" = "$expected" ] || { echo "This has changed. Before:" "$expected" >&2; exit 1; }
