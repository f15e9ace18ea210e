// Copyright (c) 2026, The Isaac Tracking Developers.
// SPDX-License-Identifier: BSD-3-Clause

// What viser's page lacks: keys that are held and let go, and gamepads. Sends what is held, when it changes and twice a
// second, through a text field of the page that nobody sees. Keys that drive are kept from viser, which moves its
// camera with them. {KEYS}, {STOP}, {FAST} and {FIELD} are filled in by hands_script.py.
(() => {
  window.stopDriving?.(); // of an earlier connection of this page
  const keys = new Set({KEYS}), fast = new Set({FAST}), held = new Set();
  let sticks = [], stops = 0, count = 0, sent = "", sentAt = 0, padStopped = false, mine = false, moves = 0;

  const field = () => {
    const label = [...document.querySelectorAll("label")].find((each) => each.textContent === {FIELD});
    let row = label;
    while (row && !row.querySelector("input")) row = row.parentElement;
    if (row) row.style.display = "none";
    return row?.querySelector("input");
  };
  const setValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;

  const send = () => {
    const now = performance.now();
    const state = { keys: [...held].sort(), sticks, stops };
    const text = JSON.stringify(state);
    // At most ten times a second: viser sends twenty messages a second and drops all but the last of more.
    if (moves || now - sentAt < (text === sent ? 500 : 100)) return;
    const input = field();
    if (!input) return;
    setValue.call(input, JSON.stringify({ ...state, count: ++count }));
    mine = true;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    mine = false;
    sent = text;
    sentAt = now;
  };
  const letGo = () => held.clear();
  const stop = () => { letGo(); stops += 1; };

  const readPad = () => {
    const pad = [...(navigator.getGamepads?.() ?? [])].find((each) => each?.connected);
    sticks = pad ? [...pad.axes].slice(0, 4).map((value) => Math.round(50 * value) / 50) : [];
    const pressed = pad?.buttons.some((button) => button.pressed) ?? false;
    if (pressed && !padStopped) stop();
    padStopped = pressed;
  };

  const isTyping = (target) => target?.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target?.tagName);
  const onKey = (event) => {
    const code = event.code, down = event.type === "keydown";
    if (!down) held.delete(code);
    else if (fast.has(code)) held.add(code);
    if (!keys.has(code) && code !== {STOP}) return send();
    const meant = !event.ctrlKey && !event.metaKey && !event.altKey;
    // To stop is never meant otherwise: the fields are for numbers.
    if (!meant || (code !== {STOP} && isTyping(event.target))) return send();
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.repeat) return; // a key that is still held after a stop does not undo it
    if (down && code === {STOP}) stop();
    else if (down) held.add(code);
    send();
  };
  // A page that nobody sees does not drive.
  const onHide = () => { if (document.hidden) { sticks = []; stop(); } send(); };
  const tick = () => { if (!document.hidden) readPad(); send(); };

  // Silent while somebody moves another control, whose message viser would drop for ours: until the control has acted,
  // which a slider does with the next picture, and viser has sent that, which takes it 50 ms.
  let grabbed = false; // a control, and not the view
  const onControl = (event) => {
    if (mine) return;
    if (event.type === "pointerdown") grabbed = event.target?.tagName !== "CANVAS";
    if (event.type === "pointermove" && !(grabbed && event.buttons)) return;
    moves += 1;
    requestAnimationFrame(() => setTimeout(() => { moves -= 1; }, 100));
  };
  const controlEvents = ["pointerdown", "pointermove", "pointerup", "click", "input", "change"];

  for (const name of controlEvents) window.addEventListener(name, onControl, true);
  window.addEventListener("keydown", onKey, true);
  window.addEventListener("keyup", onKey, true);
  window.addEventListener("blur", letGo);
  document.addEventListener("visibilitychange", onHide);
  const timer = setInterval(tick, 25);
  window.stopDriving = () => {
    clearInterval(timer);
    for (const name of controlEvents) window.removeEventListener(name, onControl, true);
    window.removeEventListener("keydown", onKey, true);
    window.removeEventListener("keyup", onKey, true);
    window.removeEventListener("blur", letGo);
    document.removeEventListener("visibilitychange", onHide);
  };
})();
