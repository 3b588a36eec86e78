// Opens the waitlist's page in a real browser, on a phone and on a desk, by day and in the dark, with a script and
// without, and puts two addresses on the list. Pictures of every state go into DIRECTORY.
//
//   node page.js CHROMIUM DIRECTORY ADDRESS
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const [executablePath, directory, address] = process.argv.slice(2);
const url = `http://${address}/waitlist`;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const phone = { viewport: { width: 375, height: 667 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const desk = { viewport: { width: 1280, height: 800 } };

const browser = await chromium.launch({
  executablePath,
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});

async function open(options) {
  // The page's policy would not let the examiner's script in.
  const context = await browser.newContext({ ...options, bypassCSP: true });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(url);
  return { page, complaints };
}

async function examine(page, state) {
  await page.screenshot({ path: `${directory}/page-${state}.png`, fullPage: true });
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.ok(width[0] <= width[1], `${state}: it has to be scrolled sideways`);
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  assert.deepEqual(told, [], state);
  console.log(`${state}: looked at, nothing against it`);
}

// On a phone, with the script.
{
  const { page, complaints } = await open({ ...phone, colorScheme: "light" });
  await examine(page, "phone");
  let answer;
  await page.route("**/api/waitlist", async (route) => {
    await new Promise((resolve) => { answer = resolve; });
    await route.continue();
  });
  await page.fill("#email", "Phone@Example.com");
  await page.click("#submit");
  await page.waitForSelector('#submit[aria-disabled="true"]');
  assert.equal(await page.innerText("#submit"), "Joining…");
  await examine(page, "phone-loading");
  answer();
  await page.waitForSelector("#joined:not([hidden])");
  assert.equal(await page.evaluate(() => document.activeElement.id), "joined", "who listens is told");
  await examine(page, "phone-joined");
  assert.equal(page.url(), url, "the page was not left");
  assert.deepEqual(complaints, []);
}

// At a desk, in the dark, by keyboard alone, with a mistake.
{
  const { page } = await open({ ...desk, colorScheme: "dark" });
  await examine(page, "desk-dark");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "email");
  // The browser finds it right, the server does not.
  await page.keyboard.type("somebody@nowhere");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "submit", "the trap is passed over");
  await page.keyboard.press("Enter");
  await page.waitForSelector('#email[aria-invalid="true"]');
  assert.equal(await page.innerText("#message"), "This is not an email address.");
  assert.equal(await page.evaluate(() => document.activeElement.id), "email");
  await examine(page, "desk-dark-error");
  await page.route("**/api/waitlist", (route) => route.abort());
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.getElementById("message").textContent.includes("could not be reached"));
  await examine(page, "desk-dark-unreachable");
  // What a proxy in between says of itself is neither a success nor a text for people.
  for (const answer of [{ status: 502, json: { message: "x" } }, { status: 200, contentType: "text/html", body: "<p>Log in" }]) {
    await page.unroute("**/api/waitlist");
    await page.route("**/api/waitlist", (route) => route.fulfill(answer));
    await page.evaluate(() => { document.getElementById("message").textContent = ""; });
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.getElementById("message").textContent.includes("could not be reached"));
    assert.ok(!(await page.isVisible("#joined")));
  }
}

// Without a script: the browser sends the form.
{
  const context = await browser.newContext({ ...desk, javaScriptEnabled: false });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(url);
  await page.fill("#email", "somebody@nowhere");
  await page.click("#submit");
  await page.waitForSelector('#email[aria-invalid="true"]');
  assert.equal(await page.inputValue("#email"), "somebody@nowhere", "what was entered is kept");
  await page.screenshot({ path: `${directory}/page-scriptless-error.png` });
  await page.fill("#email", "scriptless@example.com");
  await page.click("#submit");
  await page.waitForURL("**/waitlist?joined");
  assert.equal(await page.innerText("h1:visible"), "You are on the list");
  await page.screenshot({ path: `${directory}/page-scriptless-joined.png` });
  console.log("scriptless: joined");
}

await browser.close();
