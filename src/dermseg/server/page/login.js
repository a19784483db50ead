// What is shown to who is not logged in: exchanges the address, or asks for a password.

import { element, fill } from "./elements.js";
import { TEXTS } from "./texts.js";

const content = /** @type {HTMLElement} */ (document.getElementById("content"));
const token = new URLSearchParams(location.hash.slice(1)).get("token");

/** @param {Record<string, string>} body @returns {Promise<string | null>} what was wrong */
async function logIn(body) {
  const response = await fetch("/v1/login", {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  }).catch(() => null);
  if (!response) return TEXTS.failed;
  if (response.ok) {
    location.replace("/");
    return null;
  }
  return (await response.json()).error;
}

/** @param {string} reason */
async function ask(reason) {
  const ways = await (await fetch("/v1/login")).json();
  const error = element("p", { class: "error", role: "alert" }, reason);
  if (!ways.password) {
    fill(content, element("h1", {}, TEXTS.login.title), element("p", {}, TEXTS.login.terminal), error);
    return;
  }
  const name = element("input", { id: "name", autocomplete: "username", required: true });
  const password = element("input", {
    id: "password", type: "password", autocomplete: "current-password", required: true,
  });
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    fill(error, await logIn({ name: name.value, password: password.value }));
  };
  fill(content, element("h1", {}, TEXTS.login.title), element("form", { onsubmit: submit },
    element("label", { for: "name" }, TEXTS.login.name), name,
    element("label", { for: "password" }, TEXTS.login.password), password,
    element("button", { class: "primary" }, TEXTS.login.submit), error));
  name.focus();
}

if (token) {
  fill(content, element("p", {}, TEXTS.login.opening));
  history.replaceState(null, "", "/");
  if (await logIn({ token })) await ask(TEXTS.login.used);
} else {
  await ask("");
}
