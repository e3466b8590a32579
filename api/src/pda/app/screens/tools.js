// The screens that no scan waits for: fetched when there is time, so that the app is ready sooner.

import { learn } from "./words.js";
import { TOOL_WORDS } from "./tools/words.js";

export { CameraScreen } from "./tools/camera.js";
export { DoctorScreen } from "./tools/doctor.js";
export { handOverScreen } from "./tools/hand-over.js";
export { sheetScreen } from "./tools/sheet.js";

learn(TOOL_WORDS);
