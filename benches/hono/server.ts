// The web app's JSON routes, written for Bun, Hono and Drizzle: what `make bench-api` compares with.
// Same answers, same statements, one query a request, as many connections, one line of log a request.
import { count, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/bun-sql";
import { pgTable, text, timestamp } from "drizzle-orm/pg-core";
import { type Context, Hono } from "hono";
import { isAddress } from "./email";

const waitlist = pgTable("waitlist", {
  id: text("id").primaryKey(),
  email: text("email").notNull().unique("waitlist_email_unique"),
  createdAt: timestamp("created_at").notNull().defaultNow(),
});

const { POSTGRES_URL = "", POSTGRES_POOL_SIZE = "10", API_LISTEN = "" } = process.env;
// Of Drizzle's drivers (postgres.js, node-postgres, Bun's own) the one that was fastest with these routes.
const db = drizzle({ client: new Bun.SQL({ url: POSTGRES_URL, max: Number(POSTGRES_POOL_SIZE), prepare: true }) });

const join = db
  .insert(waitlist)
  .values({
    id: sql.placeholder("id"),
    email: sql.placeholder("email"),
    createdAt: sql`now() AT TIME ZONE 'UTC'`,
  })
  .onConflictDoNothing({ target: waitlist.email })
  .prepare("join");
const counted = db.select({ total: count() }).from(waitlist).prepare("counted");

// Lines are written together, so that the file does not hold up requests.
const log = Bun.stderr.writer();
setInterval(() => log.flush(), 5);

const app = new Hono();

type Refusal = 400 | 404 | 415 | 422;

function refuse(context: Context, status: Refusal, code: string, message: string) {
  return context.json({ error: { code, message } }, status);
}

app.use(async (context, next) => {
  const started = performance.now();
  await next();
  const us = Math.round((performance.now() - started) * 1000);
  const { method, path } = context.req;
  const { status } = context.res;
  const time = new Date().toISOString();
  const line = { time, level: "INFO", message: `${method} ${path} ${status} in ${us} µs`, method, path, status, us };
  log.write(`${JSON.stringify(line)}\n`);
});

app.get("/api/health", async (context) => {
  await db.execute(sql`SELECT 1`);
  return context.json({ status: "ok" });
});

app.get("/api/waitlist", async (context) => {
  const [row] = await counted.execute();
  const total = Number(row?.total ?? 0);
  return context.json({ count: total < 10 ? 0 : total - (total % 5) });
});

app.post("/api/waitlist", async (context) => {
  if (!context.req.header("content-type")?.startsWith("application/json")) {
    const message = "The content type of the body is not the one that is expected.";
    return refuse(context, 415, "unsupported_media_type", message);
  }
  const body = await context.req.json().catch(() => null);
  const subject = body?.subject ?? "";
  if (typeof body?.email !== "string" || typeof subject !== "string") {
    return refuse(context, 400, "invalid_json", "The body is not the JSON object that is expected.");
  }
  const email = body.email.trim().toLowerCase();
  if (!isAddress(email)) {
    return refuse(context, 422, "invalid_email", "This is not an email address.");
  }
  if (subject === "") {
    await join.execute({ id: crypto.randomUUID(), email });
  }
  return context.json({ status: "joined" });
});

app.notFound((context) => refuse(context, 404, "not_found", "There is nothing here."));

const [hostname, port] = API_LISTEN.split(":");
Bun.serve({ hostname, port: Number(port), fetch: app.fetch, maxRequestBodySize: 4096 });
