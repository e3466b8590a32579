// The tasks of a device, each task → scan → scan → done, as pure state machines: the door to `tasks/`.

export { answerOf, suggested } from "./tasks/ask.js";
export { draftsOf } from "./tasks/finish.js";
export { compared, ticked } from "./tasks/goods.js";
export { TASK_KINDS, kindOf } from "./tasks/kinds.js";
export { begin } from "./tasks/state.js";
export { lineOf, step } from "./tasks/step.js";
