// The screens that no scan waits for: fetched when there is time, so that the app is ready sooner.

import { ENROL_WORDS } from "./enrol-words.js";
import { FAULT_WORDS } from "./fault-words.js";
import { FINDING_WORDS } from "./tools/finding-words.js";
import { handOverScreen } from "./tools/hand-over.js";
import { lookUpScreen } from "./tools/look-up.js";
import { queueScreen } from "./tools/queue.js";
import { settingsScreen } from "./tools/settings.js";
import { sheetScreen } from "./tools/sheet.js";
import { TOOL_WORDS } from "./tools/words.js";
import { learn } from "./words.js";

export { lookUp } from "./look.js";
export { holding } from "./session/inside.js";
export { strikeLast } from "./session/strike.js";
export { overruled } from "./session/supervisor.js";
export { CameraScreen } from "./tools/camera.js";
export { DoctorScreen } from "./tools/doctor.js";

/** Screens that keep nothing of their own, by their names. */
export const screens = { "hand-over": handOverScreen, "look-up": lookUpScreen, queue: queueScreen, settings: settingsScreen, sheet: sheetScreen };

learn({ ...ENROL_WORDS, ...TOOL_WORDS });
learn(Object.fromEntries(Object.entries({ ...FAULT_WORDS, ...FINDING_WORDS }).map(([code, { zh, en }]) => [code, [zh, en]])));
