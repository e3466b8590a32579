// What a command barcode does, on whatever screen: it opens a task, answers, says words, or goes somewhere. Within
// a turn of the session.

import { COMMANDS } from "../../core/commands.js";
import { begin, kindOf } from "../../core/tasks.js";
import { badged, knowActor } from "./badge.js";

/** @typedef {import("../session.js").Session} Session */

/** What may stand in the field of a question. */
const WORDS_MAX = 128;

/** @param {Session} session @param {import("../../core/commands.js").ScreenCommand} command */
export async function commanded(session, command) {
  const { task, out } = session;
  switch (command.is) {
    case "task":
      return opened(session, command.task);
    case "who":
      return badged(session, command.badge);
    case "at":
      return session.step({ do: "at", location: command.location });
    case "quantity":
      return session.step({ do: "quantity", quantity: command.quantity });
    case "offer":
      return session.step({ do: "offer", offer: command.offer });
    case "becomes":
      return session.step({ do: "answer", answer: { disposition: command.disposition } });
    case "to":
      return to(session, command.id);
    case "say":
      return said(session, command.text);
    case "send-now":
      await session.driver?.wake();
      return undefined;
    case "acknowledge":
      return task || !session.found ? session.step({ do: "acknowledge" }) : session.unfind();
    case "home":
    case "hand-over":
      // A look-up states nothing, so it is simply over.
      if (task?.task === "look-up") await session.step({ do: "cancel" }, false);
      // What is open is finished or cancelled first; a stop has to be seen.
      return session.task?.held || (session.task && command.is === "home")
        ? out.told({ sound: "warn", words: ["screen_first"] })
        : out.go(command.is);
    default:
      return COMMANDS.includes(command.is) ? session.step({ do: command.is }) : undefined;
  }
}

/** Where goods go to or come from. @param {Session} session @param {string} id */
async function to(session, id) {
  const { task, out } = session;
  const place = session.places.find((place) => place.id === id);
  if (!place) return out.told({ sound: "warn", words: ["partner_unknown"], of: id });
  if (!task || !kindOf(task.task).offers.includes("counterpart")) {
    return out.told({ sound: "warn", words: ["not_here"], of: place.name });
  }
  return session.step({ do: "answer", answer: { counterpart: { type: place.type, id } } }, true, place.name);
}

/** A task is opened: by who may, with what is expected of it. @param {Session} session @param {import("../../core/tasks/kinds.js").TaskName} name */
export async function opened(session, name) {
  const { task, driver, store, out } = session;
  // A stop has to be seen, and goods that were read are stated or given up first.
  if (task && (task.held || task.goods.lines.length > 0)) {
    out.told({ sound: "warn", words: ["screen_first"] });
    return;
  }
  await knowActor(session);
  // Where badges are known, nobody works without one.
  if (session.badges.isSet && !session.actor) {
    out.told({ sound: "warn", words: ["nobody"] });
    return;
  }
  const location = driver?.identity.location ?? null;
  const units = name === "inbound" ? await store.units() : [];
  const coming = units.filter(({ place }) => typeof place === "object" && "between" in place && place.between.to === location);
  const expected = coming.length > 0 ? { units: coming.map(({ unit, inside }) => ({ unit, inside: inside ?? null })), lots: [] } : null;
  session.looked = null;
  if (await session.kept([], begin(name, { location, expected }))) out.told({ sound: "tick", words: [name] });
}

/** Are words asked for, so that a scan may be them? @param {import("../../core/tasks/state.js").State} task */
export const isWords = ({ step, question }) => step === "question" && question !== null && ["document", "slip", "body"].includes(question.said);

/** Words for the field that is open: they are taken when that is confirmed. @param {Session} session @param {string} text */
export async function said(session, text) {
  const { task, out } = session;
  if (task?.step === "stop") session.reason = text;
  else if (task?.step === "question" && task.question?.said !== "accepted") session.words = text.slice(0, WORDS_MAX);
  else return out.told({ sound: "warn", words: ["nothing_asked"], of: text });
  return out.told({ sound: "tick", words: ["filled"], of: text });
}
