// Opens Adminer in a real browser, logs in, looks for the tables and edits a row.
//
//   node studio.js CHROMIUM DIRECTORY ADDRESS PASSWORD
import { chromium } from "playwright-core";

const [executablePath, directory, address, password] = process.argv.slice(2);
const tables = [
  "account", "invitation", "member", "organization", "session",
  "team", "team_member", "user", "verification", "waitlist",
];

const browser = await chromium.launch({
  executablePath,
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});
const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
page.setDefaultTimeout(20_000);

await page.goto(`http://${address}/?pgsql=postgres&username=zerostarter&db=zerostarter&ns=public`);
await page.fill('input[name="auth[password]"]', password);
await page.click('input[type="submit"]');
await page.waitForSelector("#tables a");
await page.screenshot({ path: `${directory}/studio.png` });
const listed = await page.locator("#tables a.structure, #tables a.view").allInnerTexts();
const missing = tables.filter((table) => !listed.includes(table));
if (missing.length > 0) {
  throw new Error(`not listed: ${missing.join(", ")}; listed: ${listed.join(", ")}`);
}

const url = new URL(page.url());
url.searchParams.set("edit", "waitlist");
url.searchParams.set("where[id]", "before");
await page.goto(url.href);
await page.fill('[name="fields[email]"]', "after@example.com");
await page.click('input[type="submit"][value="Save"]');
await page.waitForSelector(".message");
console.log(await page.innerText(".message"));
await browser.close();
