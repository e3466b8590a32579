// What is printed for command barcodes: the other way of `commands.js`. Wanted by the sheet only.

import { MARK } from "./commands.js";

/** @typedef {import("./commands.js").ScreenCommand} ScreenCommand */

/** What is printed for a command. @param {ScreenCommand} command */
export function printedCommand(command) {
  switch (command.is) {
    case "task":
      return `${MARK}TASK-${command.task.toUpperCase()}`;
    case "at":
      return `${MARK}AT-${command.location.toUpperCase()}`;
    case "who":
      return `${MARK}WHO-${command.badge.toUpperCase()}`;
    case "offer":
      return MARK + command.offer.toUpperCase();
    case "becomes":
      return `${MARK}BECOMES-${command.disposition.toUpperCase()}`;
    case "to":
      return `${MARK}TO-${command.id.toUpperCase()}`;
    case "say":
      return `${MARK}SAY-${command.text}`;
    case "quantity":
      return `${MARK}QTY-${command.quantity}`;
    default:
      return MARK + command.is.toUpperCase();
  }
}
