// Sends the form without leaving the page. Where this does not run, the form is sent by the browser.
"use strict";

const form = document.getElementById("form");
const email = document.getElementById("email");
const submit = document.getElementById("submit");
const message = document.getElementById("message");
const calm = submit.textContent;
let sending = false;

function show(text, isInvalid) {
  message.textContent = text;
  if (isInvalid) {
    email.setAttribute("aria-invalid", "true");
    email.focus();
  } else {
    email.removeAttribute("aria-invalid");
  }
}

// Not `disabled`: that would take the focus away from who pressed it.
function wait(isWaiting) {
  sending = isWaiting;
  submit.setAttribute("aria-disabled", String(isWaiting));
  form.setAttribute("aria-busy", String(isWaiting));
  submit.textContent = isWaiting ? "Joining…" : calm;
}

async function join() {
  const response = await fetch("/api/waitlist", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: email.value, subject: form.elements.subject.value }),
  });
  const body = await response.json();
  if (response.ok && body.status === "joined") {
    return null;
  }
  // A proxy in between may answer in JSON of its own.
  if (typeof body.error?.message !== "string") {
    throw new Error("not an answer of the waitlist");
  }
  return body.error;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (sending) {
    return;
  }
  show("", false);
  wait(true);
  try {
    const error = await join();
    if (error) {
      show(error.message, error.code === "invalid_email");
    } else {
      document.title = "You are on the list · ZeroStarter";
      document.getElementById("asking").hidden = true;
      const joined = document.getElementById("joined");
      joined.hidden = false;
      joined.focus();
    }
  } catch {
    show("We could not be reached. Please try again.", false);
  } finally {
    wait(false);
  }
});
